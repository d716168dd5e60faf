#pragma once

#include <cstdint>

#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// Rows to be added up by their ids, sorted by these: rows of one id are a *run*. Runs are cut
/// where chunks of kSortedChunk end, the parts added one row after the other and then one part
/// after the other, so that the order is the same on every device.
template <class A>
struct SortedRows {
  std::int64_t count = 0;               ///< N
  std::int64_t dim = 0;                 ///< D
  const std::int32_t* ids = nullptr;    ///< [N], ascending; negative ones are left out
  const std::int64_t* order = nullptr;  ///< [N], the row of `from` at each place
  const A* from = nullptr;              ///< [N, D]
  A scale = 1;                          ///< of all sums
  /// The sum of a run goes to the row of its id, [V, D], or to that of its first place, [N, D].
  bool by_place = false;

  DIFFUSE_HOST_DEVICE std::int64_t row_of_sum(std::int64_t first_place) const {
    return by_place ? first_place : ids[first_place];
  }
};

inline constexpr std::int64_t kSortedChunk = 32;

DIFFUSE_HOST_DEVICE constexpr std::int64_t sorted_chunks(std::int64_t count) {
  return (count + kSortedChunk - 1) / kSortedChunk;
}

template <class A>
DIFFUSE_HOST_DEVICE inline std::int64_t chunk_end(const SortedRows<A>& sorted, std::int64_t chunk) {
  const std::int64_t end = (chunk + 1) * kSortedChunk;
  return end < sorted.count ? end : sorted.count;
}

/// Adds up one channel of a chunk: whole runs into `sums`, the end of a run that began before into
/// `heads` [chunks, D], the beginning of one that goes on behind into `tails` [chunks, D]. A chunk
/// in the middle of a run is a head.
template <class A>
DIFFUSE_HOST_DEVICE inline void add_chunk(const SortedRows<A>& sorted, std::int64_t chunk,
                                          std::int64_t channel, A* sums, A* heads, A* tails) {
  const std::int64_t begin = chunk * kSortedChunk;
  const std::int64_t end = chunk_end(sorted, chunk);
  bool began_before = begin > 0 && sorted.ids[begin - 1] == sorted.ids[begin];
  std::int64_t first = begin;
  A sum = 0;
  for (std::int64_t at = begin; at < end; ++at) {
    const std::int32_t id = sorted.ids[at];
    sum += sorted.from[sorted.order[at] * sorted.dim + channel];
    const bool goes_on = at + 1 < sorted.count && sorted.ids[at + 1] == id;
    if (goes_on && at + 1 < end) continue;
    if (began_before)
      heads[chunk * sorted.dim + channel] = sum;
    else if (goes_on)
      tails[chunk * sorted.dim + channel] = sum;
    else if (id >= 0)
      sums[sorted.row_of_sum(first) * sorted.dim + channel] = sorted.scale * sum;
    began_before = false;
    first = at + 1;
    sum = 0;
  }
}

/// The first place of a run that begins in `chunk` and goes on behind it; -1: there is none.
template <class A>
DIFFUSE_HOST_DEVICE inline std::int64_t open_run(const SortedRows<A>& sorted, std::int64_t chunk) {
  const std::int64_t begin = chunk * kSortedChunk;
  std::int64_t first = chunk_end(sorted, chunk);
  if (first == sorted.count || sorted.ids[first] != sorted.ids[first - 1]) return -1;
  const std::int32_t id = sorted.ids[first];
  while (first > begin && sorted.ids[first - 1] == id) --first;
  // Ascending: where the run began before, all of the chunk is of it.
  return first == 0 || sorted.ids[first - 1] != id ? first : -1;
}

/// Writes one channel of the sum of the run that begins in `chunk` and goes on behind it, where
/// there is one, of the parts that add_chunk made.
template <class A>
DIFFUSE_HOST_DEVICE inline void close_run(const SortedRows<A>& sorted, std::int64_t chunk,
                                          std::int64_t channel, const A* heads, const A* tails,
                                          A* sums) {
  const std::int64_t first = open_run(sorted, chunk);
  if (first < 0 || sorted.ids[first] < 0) return;
  A sum = tails[chunk * sorted.dim + channel];
  for (std::int64_t next = chunk + 1; next * kSortedChunk < sorted.count; ++next) {
    if (sorted.ids[next * kSortedChunk] != sorted.ids[first]) break;
    sum += heads[next * sorted.dim + channel];
  }
  sums[sorted.row_of_sum(first) * sorted.dim + channel] = sorted.scale * sum;
}

}  // namespace diffuse::rows
