#pragma once

#include <cstdint>

#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// The most rows that are summed one after the other.
inline constexpr std::int64_t kMostChunkRows = 256;

/// Rows that are summed one after the other before such sums are added: a function of the number of
/// rows alone, so that every device adds in one order. Some 500 chunks keep a GPU busy; more would
/// only take longer to add.
DIFFUSE_HOST_DEVICE constexpr std::int64_t rows_per_chunk(std::int64_t rows) {
  constexpr std::int64_t kChunks = 512;
  std::int64_t size = 8;
  while (size * kChunks < rows && size < kMostChunkRows) size *= 2;
  return size;
}

DIFFUSE_HOST_DEVICE constexpr std::int64_t chunk_count(std::int64_t rows) {
  const std::int64_t size = rows_per_chunk(rows);
  return (rows + size - 1) / size;
}

/// A long sum is made of this many parts, each added in its order, and those then in theirs.
inline constexpr int kParts = 8;

/// Where part `part` of `count` items begins.
DIFFUSE_HOST_DEVICE constexpr std::int64_t part_begin(std::int64_t count, int part) {
  return count * part / kParts;
}

}  // namespace diffuse::rows
