#include "diffuse/ops/reference/diffusion.hpp"

#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "ops/diffusion_steps.hpp"

namespace diffuse {
namespace {

at::Tensor normalised(const at::Tensor& x, const StepTensors& step) {
  return at::layer_norm(x, step.norm_weight.sizes(), step.norm_weight, step.norm_bias, kNormEps);
}

at::Tensor function_values(const DiffusionSpec& spec, const StepTensors& step,
                           const at::Tensor& x) {
  const at::Tensor hidden = at::linear(x, step.in_weight, step.in_bias);
  if (spec.function == FunctionKind::linear) return activate(hidden, spec.activation);
  if (spec.function == FunctionKind::mlp)
    return at::linear(activate(hidden, spec.activation), step.out_weight, step.out_bias);
  const std::vector<at::Tensor> halves = hidden.chunk(2, 1);
  return at::linear(at::mul(halves[0], activate(halves[1], spec.activation)), step.out_weight,
                    step.out_bias);
}

}  // namespace

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return at::relu(x);
    case Activation::gelu:
      return at::gelu(x);
    case Activation::silu:
      return at::silu(x);
    case Activation::tanh:
      return at::tanh(x);
  }
  throw Error("activate: not an activation");
}

at::Tensor reference_diffusion(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                               const at::Tensor& initial, std::span<const std::int32_t> offsets) {
  std::vector<std::int64_t> all_shifts;
  for (const auto& shifts : spec.shifts)
    all_shifts.insert(all_shifts.end(), shifts.begin(), shifts.end());
  const NeighbourMasks masks(offsets, all_shifts, initial.device());
  return diffusion_steps(
      spec, steps, initial, normalised,
      [&](const at::Tensor& x, const StepTensors& own) { return function_values(spec, own, x); },
      [&](const at::Tensor& base, const at::Tensor& values, const StepTensors& own,
          std::span<const std::int64_t> shifts) {
        return spec.alpha ? diffusion_step(base, values, own.weight, *spec.alpha, shifts, masks)
                          : diffusion_step(base, values, own.weight, at::sigmoid(own.alpha_logit),
                                           shifts, masks);
      });
}

}  // namespace diffuse
