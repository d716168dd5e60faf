#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "diffuse/ops/diffusion_spec.hpp"
#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {

/// norm(x) of a step.
at::Tensor normalised(const at::Tensor& x, const StepTensors& step);
/// f(x) of a step.
at::Tensor function_values(const DiffusionSpec& spec, const StepTensors& step, const at::Tensor& x);

/// The steps of DiffusionSpec, one after the other; `mix(base, values, step, shifts)` makes each
/// one's blend of base and neighbours.
template <class Mix>
at::Tensor diffusion_steps(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                           const at::Tensor& initial, const Mix& mix) {
  at::Tensor state = initial;
  for (std::size_t t = 0; t < spec.shifts.size(); ++t) {
    const StepTensors& own = steps[spec.share_weights ? 0 : t];
    const at::Tensor x = spec.norm == NormPosition::pre ? normalised(state, own) : state;
    const at::Tensor values = function_values(spec, own, x);
    const at::Tensor& base = spec.base == BaseState::state ? state : initial;
    state = mix(base, values, own, std::span<const std::int64_t>(spec.shifts[t]));
    if (spec.norm == NormPosition::post) state = normalised(state, own);
  }
  return state;
}

}  // namespace diffuse
