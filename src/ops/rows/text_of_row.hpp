#pragma once

#include <cstdint>

#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// Texts of a packed batch: text b is rows offsets[b] … offsets[b + 1] - 1.
struct Texts {
  const std::int32_t* offsets = nullptr;  ///< [B + 1], from 0 to N
  const std::int32_t* of_row = nullptr;   ///< [N], the text of each row

  DIFFUSE_HOST_DEVICE std::int32_t begin(std::int64_t row) const { return offsets[of_row[row]]; }
  DIFFUSE_HOST_DEVICE std::int32_t end(std::int64_t row) const { return offsets[of_row[row] + 1]; }
};

/// The text of `row` among `count`.
DIFFUSE_HOST_DEVICE inline std::int32_t find_text(const std::int32_t* offsets, std::int32_t count,
                                                  std::int64_t row) {
  std::int32_t low = 0;
  std::int32_t high = count;
  while (high - low > 1) {
    const std::int32_t middle = low + (high - low) / 2;
    if (offsets[middle] <= row)
      low = middle;
    else
      high = middle;
  }
  return low;
}

}  // namespace diffuse::rows
