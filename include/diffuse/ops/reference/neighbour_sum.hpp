#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "diffuse/ops/reference/neighbour_masks.hpp"

namespace diffuse {

/// Row i + shift of `rows` `[N, D]` where it is in i's sequence, zeros elsewhere: `[N, D]`.
at::Tensor shift_rows(const at::Tensor& rows, std::int64_t shift, const NeighbourMasks& masks);

/// The neighbour sum in tensor operations, differentiable in `values` and `weight`:
/// out_i = sum over n of W_n ∘ values_{i + shifts[n]}, over the neighbours in i's own sequence.
///
/// `values` `[N, D]`; `weight` `[K]` (a scalar a shift), `[K, D]` (a factor for each channel) or
/// `[K, D, D]` (a matrix, output channel first), K = shifts.size() > 0. Returns `[N, D]`.
/// Throws Error if the shapes do not fit.
at::Tensor neighbour_sum(const at::Tensor& values, const at::Tensor& weight,
                         std::span<const std::int64_t> shifts, const NeighbourMasks& masks);

}  // namespace diffuse
