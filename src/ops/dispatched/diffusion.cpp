#include "diffuse/ops/dispatched/diffusion.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sigmoid.h>

#include <algorithm>
#include <vector>

#include "diffuse/ops/dispatched/bias_activation.hpp"
#include "diffuse/ops/dispatched/row_norm.hpp"
#include "ops/diffusion_steps.hpp"

namespace diffuse {
namespace {

/// The type that a product of `state` has: under autocast half precision.
at::ScalarType product_type(const at::Tensor& state) {
  const at::DeviceType device = state.device().type();
  return state.scalar_type() == at::kFloat && at::autocast::is_autocast_enabled(device)
             ? at::autocast::get_autocast_dtype(device)
             : state.scalar_type();
}

/// f, whose first product leaves bias and activation to an operation of ours. The bias at the end
/// stays with its product, and so does one that no activation follows: LibTorch's products add a
/// bias in their own launch, and its gradient is one sum either way.
at::Tensor values_of(const DiffusionSpec& spec, const StepTensors& step, const at::Tensor& x) {
  at::Tensor hidden;
  if (spec.function == FunctionKind::glu)
    hidden = gated_activation(at::linear(x, step.in_weight), step.in_bias, spec.activation);
  else if (spec.activation == Activation::identity)
    hidden = at::linear(x, step.in_weight, step.in_bias);
  else
    hidden = bias_activation(at::linear(x, step.in_weight), step.in_bias, spec.activation);
  return spec.function == FunctionKind::linear ? hidden
                                               : at::linear(hidden, step.out_weight, step.out_bias);
}

/// One product for all neighbours: their rows stand side by side, as do the matrices.
at::Tensor mix_by_matrices(const DiffusionSpec& spec, const at::Tensor& base,
                           const at::Tensor& values, const StepTensors& own, const TextRows& texts,
                           std::span<const std::int64_t> shifts) {
  std::vector<at::Tensor> rows;
  for (const std::int64_t shift : shifts) rows.push_back(neighbour_rows(values, texts, shift));
  const at::Tensor sum =
      at::linear(at::cat(rows, 1), at::cat(own.weight.unbind(0), 1)).to(base.scalar_type());
  return spec.alpha ? at::add(sum.mul(1.0 - *spec.alpha), base, *spec.alpha)
                    : at::lerp(sum, base, at::sigmoid(own.alpha_logit));
}

/// In pieces where there are more neighbours than neighbour_mix takes.
at::Tensor mix_by_factors(const DiffusionSpec& spec, const at::Tensor& base,
                          const at::Tensor& values, const StepTensors& own, const TextRows& texts,
                          std::span<const std::int64_t> shifts) {
  if (spec.alpha && shifts.size() <= kMostMixed)
    return neighbour_blend(values, base, own.weight, *spec.alpha, texts, shifts);
  const at::Tensor alpha =
      spec.alpha ? at::full({1}, *spec.alpha, own.weight.options()) : at::sigmoid(own.alpha_logit);
  // (1 - alpha) goes into the weights, which are small.
  at::Tensor shares =
      (own.weight.dim() == 1 ? own.weight.unsqueeze(1) : own.weight).mul(alpha.neg().add(1));
  if (shares.size(1) == 1) shares = shares.squeeze(1);
  at::Tensor state = base;
  for (std::size_t first = 0; first < shifts.size(); first += kMostMixed) {
    const std::size_t count = std::min(kMostMixed, shifts.size() - first);
    const at::Tensor keep = first == 0 ? alpha : at::ones({1}, alpha.options());
    state = neighbour_mix(
        values, state,
        shares.narrow(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(count)), keep,
        texts, shifts.subspan(first, count));
  }
  return state;
}

}  // namespace

at::Tensor dispatched_diffusion(const DiffusionSpec& spec, std::span<const StepTensors> steps,
                                const at::Tensor& initial, const TextRows& texts) {
  const auto mix = spec.weight == WeightKind::full ? mix_by_matrices : mix_by_factors;
  return diffusion_steps(
      spec, steps, initial,
      [&](const at::Tensor& x, const StepTensors& own) {
        // Behind a step it is the next state, before one what a product takes.
        const at::ScalarType type =
            spec.norm == NormPosition::pre ? product_type(x) : x.scalar_type();
        return row_norm(x, own.norm_weight, own.norm_bias, kNormEps, type);
      },
      [&](const at::Tensor& x, const StepTensors& own) { return values_of(spec, own, x); },
      [&](const at::Tensor& base, const at::Tensor& values, const StepTensors& own,
          std::span<const std::int64_t> shifts) {
        return mix(spec, base, values, own, texts, shifts);
      });
}

}  // namespace diffuse
