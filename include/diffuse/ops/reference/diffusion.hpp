#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/ops/diffusion_spec.hpp"

namespace diffuse {

/// The parameters of one step; undefined where the step has none.
struct StepTensors {
  at::Tensor weight{};       ///< [K], [K, D] or [K, D, D] (output channel first)
  at::Tensor alpha_logit{};  ///< [D], before the sigmoid
  at::Tensor norm_weight{};  ///< [D]
  at::Tensor norm_bias{};    ///< [D]
  at::Tensor in_weight{};    ///< [outputs, D]
  at::Tensor in_bias{};      ///< [outputs]
  at::Tensor out_weight{};   ///< [D, H]
  at::Tensor out_bias{};     ///< [D]
};

/// The function, elementwise. gelu is the exact one (by erf).
at::Tensor activate(const at::Tensor& x, Activation activation);

/// The steps of DiffusionSpec in tensor operations, one after the other, differentiable in every
/// tensor, on any device and in any floating type: what every other kernel is compared with.
///
/// `initial` `[N, D]`, the rows of a packed batch; `offsets` [B + 1], its texts; `steps` one a
/// step, or one for all. Returns the last state `[N, D]`, before pooling. Under autocast
/// (device/precision.hpp) u and the sum over it are in half precision, the states float32.
at::Tensor reference_diffusion(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                               const at::Tensor& initial, std::span<const std::int32_t> offsets);

}  // namespace diffuse
