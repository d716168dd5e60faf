#pragma once

#include <ATen/Parallel.h>

#include <cstdint>
#include <vector>

#include "ops/rows/sorted_rows.hpp"

namespace diffuse::cpu {

/// The sums of the runs into `sums`, which is zero, on all threads.
template <class A>
void add_sorted_rows(const rows::SortedRows<A>& sorted, A* sums) {
  const std::int64_t chunks = rows::sorted_chunks(sorted.count);
  std::vector<A> heads(static_cast<std::size_t>(chunks * sorted.dim));
  std::vector<A> tails(heads.size());
  at::parallel_for(0, chunks, 1, [&](std::int64_t from, std::int64_t end) {
    for (std::int64_t chunk = from; chunk < end; ++chunk)
      for (std::int64_t channel = 0; channel < sorted.dim; ++channel)
        rows::add_chunk(sorted, chunk, channel, sums, heads.data(), tails.data());
  });
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
    for (std::int64_t channel = 0; channel < sorted.dim; ++channel)
      rows::close_run(sorted, chunk, channel, heads.data(), tails.data(), sums);
}

}  // namespace diffuse::cpu
