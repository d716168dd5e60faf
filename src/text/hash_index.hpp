#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace diffuse {

/// 64-bit hashes to numbers: open addressing, whose place is the hash itself.
class HashIndex {
 public:
  static constexpr std::int32_t kMissing = -1;

  HashIndex() : HashIndex(0) {}
  /// With room for `expected` numbers.
  explicit HashIndex(std::size_t expected) {
    std::size_t slots = 16;
    while (3 * slots < 5 * expected) slots *= 2;
    keys_.resize(slots);
    indexes_.assign(slots, kMissing);
  }

  std::int32_t find(std::uint64_t hash) const { return indexes_[place(hash)]; }
  /// The number of `hash`: how many were inserted before it. `second` tells whether it was added.
  std::pair<std::int32_t, bool> insert(std::uint64_t hash) {
    if (3 * static_cast<std::size_t>(size_ + 1) > 2 * keys_.size()) grow();
    const std::size_t at = place(hash);
    if (indexes_[at] != kMissing) return {indexes_[at], false};
    keys_[at] = hash;
    indexes_[at] = size_;
    return {size_++, true};
  }
  std::int32_t size() const { return size_; }
  /// Where a look-up will read first.
  void prefetch(std::uint64_t hash) const {
    const std::size_t at = home(hash);
    __builtin_prefetch(&keys_[at]);
    __builtin_prefetch(&indexes_[at]);
  }
  /// Calls `visit(hash, number)` for all, in the order of their places.
  template <class Visit>
  void each(const Visit& visit) const {
    for (std::size_t i = 0; i < keys_.size(); ++i)
      if (indexes_[i] != kMissing) visit(keys_[i], indexes_[i]);
  }

 private:
  std::size_t home(std::uint64_t hash) const {
    // Not the low bits, by which the builder has dealt them out.
    return static_cast<std::size_t>(hash >> 16) & (keys_.size() - 1);
  }
  std::size_t place(std::uint64_t hash) const {
    std::size_t at = home(hash);
    while (indexes_[at] != kMissing && keys_[at] != hash) at = (at + 1) & (keys_.size() - 1);
    return at;
  }
  void grow() {
    HashIndex larger;
    larger.keys_.resize(2 * keys_.size());
    larger.indexes_.assign(2 * keys_.size(), kMissing);
    each([&](std::uint64_t hash, std::int32_t index) {
      const std::size_t at = larger.place(hash);
      larger.keys_[at] = hash;
      larger.indexes_[at] = index;
    });
    larger.size_ = size_;
    *this = std::move(larger);
  }

  std::vector<std::uint64_t> keys_;
  std::vector<std::int32_t> indexes_;
  std::int32_t size_ = 0;
};

}  // namespace diffuse
