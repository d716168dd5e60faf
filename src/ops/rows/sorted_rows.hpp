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

/// Adds up one channel of a chunk: whole runs into `sums` [V, D], the end of a run that began
/// before into `heads` [chunks, D], the beginning of one that goes on behind into `tails` [chunks,
/// D]. A chunk in the middle of a run is a head.
template <class A>
DIFFUSE_HOST_DEVICE inline void add_chunk(const SortedRows<A>& sorted, std::int64_t chunk,
                                          std::int64_t channel, A* sums, A* heads, A* tails) {
  const std::int64_t begin = chunk * kSortedChunk;
  const std::int64_t end = chunk_end(sorted, chunk);
  bool began_before = begin > 0 && sorted.ids[begin - 1] == sorted.ids[begin];
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
      sums[std::int64_t{id} * sorted.dim + channel] = sorted.scale * sum;
    began_before = false;
    sum = 0;
  }
}

/// The id of a run that begins in `chunk` and goes on behind it; -1: there is none.
template <class A>
DIFFUSE_HOST_DEVICE inline std::int32_t open_run(const SortedRows<A>& sorted, std::int64_t chunk) {
  const std::int64_t begin = chunk * kSortedChunk;
  const std::int64_t end = chunk_end(sorted, chunk);
  const std::int32_t id = sorted.ids[end - 1];
  const bool goes_on = end < sorted.count && sorted.ids[end] == id;
  const bool began_before =
      begin > 0 && sorted.ids[begin - 1] == id;  // ascending: then all of the chunk is of it
  return goes_on && !began_before ? id : -1;
}

/// The sum of the run of `id` that begins in `chunk`, of the parts that add_chunk made.
template <class A>
DIFFUSE_HOST_DEVICE inline A sum_of_run(const SortedRows<A>& sorted, std::int64_t chunk,
                                        std::int32_t id, std::int64_t channel, const A* heads,
                                        const A* tails) {
  A sum = tails[chunk * sorted.dim + channel];
  for (std::int64_t next = chunk + 1; next * kSortedChunk < sorted.count; ++next) {
    if (sorted.ids[next * kSortedChunk] != id) break;
    sum += heads[next * sorted.dim + channel];
  }
  return sorted.scale * sum;
}

}  // namespace diffuse::rows
