#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "diffuse/ops/dispatched/text_rows.hpp"
#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {

/// reference_diffusion with operations of ours: each step's neighbours and blend are one
/// (neighbour_mix), but where W has matrices. `initial` [N, D], float32 or float64; under autocast
/// as there.
at::Tensor dispatched_diffusion(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                                const at::Tensor& initial, const TextRows& texts);

}  // namespace diffuse
