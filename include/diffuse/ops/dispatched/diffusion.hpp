#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "diffuse/ops/dispatched/text_rows.hpp"
#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {

/// reference_diffusion with operations of ours: norm (row_norm), what f does to its first product
/// (bias_activation), and each step's neighbours and blend
/// (neighbour_mix), but where W has matrices. `initial` [N, D], float32 or float64; under autocast
/// as there.
at::Tensor dispatched_diffusion(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                                const at::Tensor& initial, const TextRows& texts);

}  // namespace diffuse
