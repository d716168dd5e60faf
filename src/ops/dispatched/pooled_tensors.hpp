#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

namespace diffuse {

/// What pool_texts fills, on the device of its rows.
struct PooledTensors {
  PooledTensors(const at::Tensor& rows, const at::Tensor& offsets, bool mean, bool most)
      : texts(offsets.size(0) - 1),
        dim(rows.size(1)),
        pooled(at::empty({texts, mean && most ? 2 * dim : dim}, rows.options())),
        ties(at::empty({most ? texts : 0, dim}, offsets.options())) {}

  std::int64_t texts;  ///< B
  std::int64_t dim;    ///< D
  at::Tensor pooled;   ///< [B, D] or [B, 2 D], the mean first
  at::Tensor ties;     ///< int32 [B, D] of the maxima; without them [0, D]
};

}  // namespace diffuse
