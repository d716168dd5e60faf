#pragma once

#include <ATen/Parallel.h>

#include <cstdint>

namespace diffuse::cpu {

/// Calls `work(row, channel)` for each element of [rows, dim], on all threads.
template <class Work>
void for_elements(std::int64_t rows, std::int64_t dim, const Work& work) {
  constexpr std::int64_t kTask = 64;
  at::parallel_for(0, rows, kTask, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t row = from; row < to; ++row)
      for (std::int64_t channel = 0; channel < dim; ++channel) work(row, channel);
  });
}

}  // namespace diffuse::cpu
