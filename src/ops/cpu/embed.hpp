#pragma once

#include <algorithm>
#include <cstdint>

#include "diffuse/ops/fused_diffusion.hpp"

namespace diffuse::cpu {

/// to += scale · from: by value and apart, so that the compiler makes vectors of it.
inline void add_scaled(const float* __restrict from, float scale, std::int64_t count,
                       float* __restrict to) {
  for (std::int64_t c = 0; c < count; ++c) to[c] += scale * from[c];
}

/// The sum of the tables' rows of one row of the batch.
inline void embed_row(const DiffusionInput& input, std::int64_t row, std::int64_t dim, float* to) {
  bool first = true;
  for (const TokenTable& table : input.tables) {
    const std::int32_t id = table.ids[row];
    const float* from = table.rows + dim * std::int64_t{id};
    if (id < 0) {
      if (first) std::fill_n(to, dim, 0.0F);
    } else if (first && table.scale == 1.0F) {
      std::copy_n(from, dim, to);
    } else {
      if (first) std::fill_n(to, dim, 0.0F);
      add_scaled(from, table.scale, dim, to);
    }
    first = false;
  }
}

/// Asks for what embed_row will read: rows of a large table lie anywhere in memory.
inline void prefetch_row(const DiffusionInput& input, std::int64_t row, std::int64_t dim) {
  constexpr std::int64_t kLineFloats = 16;
  for (const TokenTable& table : input.tables) {
    if (table.ids[row] < 0) continue;
    const float* from = table.rows + dim * std::int64_t{table.ids[row]};
    for (std::int64_t c = 0; c < dim; c += kLineFloats) __builtin_prefetch(from + c);
  }
}

}  // namespace diffuse::cpu
