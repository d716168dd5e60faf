#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/ops/reference/neighbour_masks.hpp"

namespace diffuse {

/// One diffusion step in tensor operations, differentiable in every tensor:
/// out_i = alpha · base_i + (1 - alpha) · sum over n of W_n ∘ values_{i + shifts[n]}.
///
/// `base`, `values` `[N, D]`; `alpha` a number in [0, 1]; `weight`, `shifts` and `masks` as for
/// neighbour_sum. Returns `[N, D]`.
at::Tensor diffusion_step(const at::Tensor& base, const at::Tensor& values,
                          const at::Tensor& weight, double alpha,
                          std::span<const std::int64_t> shifts, const NeighbourMasks& masks);

/// The same with one alpha a channel: `alpha` `[D]`.
at::Tensor diffusion_step(const at::Tensor& base, const at::Tensor& values,
                          const at::Tensor& weight, const at::Tensor& alpha,
                          std::span<const std::int64_t> shifts, const NeighbourMasks& masks);

/// The shifts of a neighbourhood: -radius·dilation … radius·dilation in strides of `dilation`,
/// ascending, with 0 only if `self`, and nothing above it if `causal`.
std::vector<std::int64_t> neighbourhood_shifts(std::int64_t radius, std::int64_t dilation,
                                               bool self, bool causal = false);

}  // namespace diffuse
