#pragma once

#include <cstdint>
#include <span>

namespace diffuse {

/// The row that the pair of a token and the one before it has in a table of `buckets` rows, at most
/// 2^28. `previous`: the id of the token before plus one; 0 at a text's beginning, which so is one
/// of the pair. Products stay below 2^63, so that tensor operations can do the same.
constexpr std::int32_t bigram_row(std::int64_t previous, std::int64_t token, std::int64_t buckets) {
  constexpr std::int64_t kBits = 0x7FFFFFFF;
  constexpr std::int64_t kFactors[] = {0x5BD1E995, 0x1B873593, 0x2545F491};
  const std::int64_t pair = previous * kFactors[0] + token * kFactors[1];
  const std::int64_t mixed = ((pair ^ pair >> 31) & kBits) * kFactors[2];
  return static_cast<std::int32_t>((mixed >> 15 & kBits) * buckets >> 31);
}

/// The rows of a packed batch's pairs, each at the place of its second token. `offsets` [B + 1].
void bigram_rows(std::span<const std::int32_t> tokens, std::span<const std::int32_t> offsets,
                 std::int64_t buckets, std::span<std::int32_t> rows);

}  // namespace diffuse
