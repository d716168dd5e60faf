#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace diffuse {

/// Which number each of 0 … size - 1 becomes, where most become none: 1½ bits for each, and 4 bytes
/// for each that becomes one.
class NumberMap {
 public:
  static constexpr std::int32_t kNone = -1;

  NumberMap() = default;
  /// `each(take)` calls take(from, to) for all that become a number, in any order, each `from` once
  /// and below `size`; it is called twice.
  template <class Each>
  NumberMap(std::size_t size, const Each& each)
      : words_((size + kBits - 1) / kBits), before_(words_.size()) {
    each([this](std::int32_t from, std::int32_t) { words_[word_of(from)] |= bit_of(from); });
    std::uint32_t count = 0;
    for (std::size_t w = 0; w < words_.size(); ++w) {
      before_[w] = count;
      count += static_cast<std::uint32_t>(std::popcount(words_[w]));
    }
    to_.resize(count);
    each([this](std::int32_t from, std::int32_t to) { to_[place_of(from)] = to; });
  }

  /// What `from` becomes; kNone where it becomes none.
  std::int32_t operator[](std::int32_t from) const {
    return (words_[word_of(from)] & bit_of(from)) == 0 ? kNone : to_[place_of(from)];
  }

 private:
  static constexpr std::size_t kBits = 64;

  static std::size_t word_of(std::int32_t from) { return static_cast<std::size_t>(from) / kBits; }
  static std::uint64_t bit_of(std::int32_t from) {
    return std::uint64_t{1} << (static_cast<std::size_t>(from) % kBits);
  }
  std::size_t place_of(std::int32_t from) const {
    const std::uint64_t lower = words_[word_of(from)] & (bit_of(from) - 1);
    return before_[word_of(from)] + static_cast<std::size_t>(std::popcount(lower));
  }

  std::vector<std::uint64_t> words_;   // a bit for each number: whether it becomes one
  std::vector<std::uint32_t> before_;  // for each of these, the bits that are set before it
  std::vector<std::int32_t> to_;       // of each bit that is set
};

}  // namespace diffuse
