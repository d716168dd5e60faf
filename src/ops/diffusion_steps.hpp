#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "diffuse/ops/diffusion_spec.hpp"
#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {

/// Of each LayerNorm.
inline constexpr double kNormEps = 1e-5;

/// The steps of DiffusionSpec, one after the other: `norm(x, step)` and `function(x, step)`, which
/// is f, and `mix(base, values, step, shifts)`, which makes each one's blend of base and
/// neighbours.
template <class Norm, class Function, class Mix>
at::Tensor diffusion_steps(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                           const at::Tensor& initial, const Norm& norm, const Function& function,
                           const Mix& mix) {
  at::Tensor state = initial;
  for (std::size_t t = 0; t < spec.shifts.size(); ++t) {
    const StepTensors& own = steps[spec.set_of(t)];
    const at::Tensor x = spec.norm == NormPosition::pre ? norm(state, own) : state;
    const at::Tensor values = function(x, own);
    const at::Tensor& base = spec.base == BaseState::state ? state : initial;
    state = mix(base, values, own, std::span<const std::int64_t>(spec.shifts[t]));
    if (spec.norm == NormPosition::post) state = norm(state, own);
  }
  return state;
}

}  // namespace diffuse
