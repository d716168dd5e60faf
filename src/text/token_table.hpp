#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace diffuse {

/// Strings to numbers: an open-addressing hash table over one arena of bytes. The hash (FNV-1a)
/// grows byte by byte, so the hashes of all prefixes of a word cost one pass.
class TokenTable {
 public:
  static constexpr std::uint64_t kEmptyHash = 0xcbf29ce484222325u;
  static constexpr std::uint64_t extend_hash(std::uint64_t hash, char c) {
    return (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  static constexpr std::uint64_t hash_of(std::string_view token) {
    std::uint64_t hash = kEmptyHash;
    for (const char c : token) hash = extend_hash(hash, c);
    return hash;
  }

  static constexpr std::int32_t kMissing = -1;

  /// Index of `token` (the count of different tokens inserted before it), or kMissing.
  std::int32_t find(std::string_view token) const { return find(token, hash_of(token)); }
  /// The same with `hash == hash_of(token)` known.
  std::int32_t find(std::string_view token, std::uint64_t hash) const {
    if (slots_.empty()) return kMissing;
    const Slot* const slot = &slots_[place(token, hash)];
    return slot->index;
  }

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

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::int32_t index = kMissing;
  };

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  /// The slot of `token`, or the empty one where it belongs.
  std::size_t place(std::string_view token, std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    // Multiplication leaves FNV's low bits poor in short strings; the high half helps out.
    std::size_t i = (hash ^ (hash >> 29)) & mask;
    while (slots_[i].index != kMissing &&
           (slots_[i].tag != tag_of(hash) || this->token(slots_[i].index) != token)) {
      i = (i + 1) & mask;
    }
    return i;
  }
  void grow();

  std::string bytes_;
  std::vector<std::size_t> begins_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t max_length_ = 0;
};

}  // namespace diffuse
