#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace diffuse {

static_assert(std::endian::native == std::endian::little, "A key appends bytes as they lie.");

/// Strings to numbers: an open-addressing hash table over one arena of bytes. A slot holds the
/// first eight bytes of its string, so that most words are found without a look at the arena.
class StringTable {
 public:
  /// What is looked for; grows byte by byte, so the keys of all prefixes of a word cost one pass.
  class Key {
   public:
    // cppcheck-suppress uninitMemberVar
    Key() = default;  // nothing's key: arrays of keys cost nothing
    explicit Key(std::string_view token)
        : head_(first_bytes(token)),
          rest_(0xcbf29ce484222325u),
          length_(static_cast<std::uint32_t>(token.size())) {
      for (std::size_t i = kHead; i < token.size(); ++i) add_rest(token[i]);
    }
    void append(char c) {
      if (length_ < kHead) {
        head_ |= std::uint64_t{static_cast<unsigned char>(c)} << (8 * length_);
      } else {
        add_rest(c);
      }
      ++length_;
    }

   private:
    friend class StringTable;
    static constexpr std::size_t kHead = sizeof(std::uint64_t);

    void add_rest(char c) {  // FNV-1a
      rest_ = (rest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    static std::uint64_t first_bytes(std::string_view token);
    /// With the head, all of a token of up to eight bytes.
    std::uint32_t tag() const {
      return length_ <= kHead ? length_ : static_cast<std::uint32_t>(rest_ >> 32) | 0x80000000u;
    }
    std::uint64_t hash() const {
      std::uint64_t hash = (head_ ^ rest_) + length_;
      hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15u;
      return hash ^ (hash >> 32);
    }

    std::uint64_t head_;
    std::uint64_t rest_;  // hash of the bytes behind the head
    std::uint32_t length_;
  };

  static constexpr std::int32_t kMissing = -1;

  /// Index of `token` (the count of different tokens inserted before it), or kMissing.
  std::int32_t find(std::string_view token) const { return find(token, Key(token)); }
  /// The same with `token`'s key known.
  std::int32_t find(std::string_view token, const Key& key) const {
    return slots_.empty() ? kMissing : slots_[place(token, key)].index;
  }

  /// Room for `tokens` of `bytes` in all, so that they are added without growing.
  void reserve(std::size_t tokens, std::size_t bytes);
  /// Index of `token`, which is added if it is not there; `second` tells whether it was added.
  std::pair<std::int32_t, bool> insert(std::string_view token);

  std::int32_t size() const { return static_cast<std::int32_t>(begins_.size()); }
  std::string_view token(std::int32_t index) const {
    const auto i = static_cast<std::size_t>(index);
    const std::size_t end = i + 1 < begins_.size() ? begins_[i + 1] : bytes_.size();
    return std::string_view(bytes_).substr(begins_[i], end - begins_[i]);
  }
  /// Bytes of the longest token.
  std::size_t max_length() const { return max_length_; }
  /// All tokens in the order of their indexes, each with a line break behind it.
  std::string lines() const;
  std::vector<std::string> strings() const;

 private:
  struct Slot {
    std::uint64_t head = 0;
    std::uint32_t tag = 0;
    std::int32_t index = kMissing;
  };

  /// The slot of `token`, or the empty one where it belongs.
  std::size_t place(std::string_view token, const Key& key) const {
    const std::size_t mask = slots_.size() - 1;
    const std::uint32_t tag = key.tag();
    std::size_t i = key.hash() & mask;
    for (; slots_[i].index != kMissing; i = (i + 1) & mask) {
      const Slot& slot = slots_[i];
      if (slot.head != key.head_ || slot.tag != tag) continue;
      if (token.size() <= Key::kHead || this->token(slot.index) == token) break;
    }
    return i;
  }
  void grow(std::size_t slots);

  std::string bytes_;
  std::vector<std::size_t> begins_;
  std::vector<Slot> slots_;  // a power of two, at most two thirds full
  std::size_t max_length_ = 0;
};

inline std::uint64_t StringTable::Key::first_bytes(std::string_view token) {
  const auto byte = [&](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(token[i])} << (8 * i);
  };
  std::uint64_t head = 0;
  if (token.size() >= kHead) {
    std::memcpy(&head, token.data(), kHead);
  } else if (token.size() >= 4) {  // two loads that overlap
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, token.data(), sizeof first);
    std::memcpy(&last, token.data() + token.size() - sizeof last, sizeof last);
    head = first | std::uint64_t{last} << (8 * (token.size() - sizeof last));
  } else if (!token.empty()) {
    head = byte(0) | byte(token.size() / 2) | byte(token.size() - 1);
  }
  return head;
}

}  // namespace diffuse
