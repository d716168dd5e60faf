#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ops/rows/chunks_of_rows.hpp"

namespace diffuse::cpu {

/// Sums over `rows` rows of `width` numbers each. `add(begin, end, to)` adds up rows begin …
/// end - 1 into `to` [width], which is zero; what the chunks come to is added in the order of a
/// device's (rows::kParts), whatever the threads.
template <class A, class Add>
std::vector<A> sums_over_rows(std::int64_t rows, std::int64_t width, const Add& add) {
  const std::int64_t size = rows::rows_per_chunk(rows);
  const std::int64_t chunks = rows::chunk_count(rows);
  std::vector<A> sums(static_cast<std::size_t>(chunks * width));
  at::parallel_for(0, chunks, 1, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t chunk = from; chunk < to; ++chunk)
      add(chunk * size, std::min((chunk + 1) * size, rows), sums.data() + chunk * width);
  });
  std::vector<A> all(static_cast<std::size_t>(width));
  for (std::int64_t at = 0; at < width; ++at) {
    for (int part = 0; part < rows::kParts; ++part) {
      A own = 0;
      for (std::int64_t chunk = rows::part_begin(chunks, part);
           chunk < rows::part_begin(chunks, part + 1); ++chunk)
        own += sums[static_cast<std::size_t>(chunk * width + at)];
      all[static_cast<std::size_t>(at)] += own;
    }
  }
  return all;
}

}  // namespace diffuse::cpu
