#include "diffuse/model/diffusion_stack.hpp"

#include <fmt/core.h>

#include <cmath>

#include "diffuse/config/model_rules.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"

namespace diffuse {
namespace {

/// W of one step: weight_init (0: one over the neighbourhood's size) in every factor, or on every
/// diagonal, plus normal noise of weight_init_std where W is learned; full matrices divide the
/// noise by sqrt(D), so that W ∘ u gets about the same spread as with factors.
at::Tensor make_weight(const ModelConfig& config, std::int64_t count, FreshTensors& tensors) {
  const double init =
      config.weight_init != 0.0 ? config.weight_init : 1.0 / static_cast<double>(count);
  double noise = config.weight_learned ? config.weight_init_std : 0.0;
  std::vector<std::int64_t> shape = {count};
  if (config.weight != WeightKind::scalar) shape.push_back(config.dim);
  at::Tensor weight;
  if (config.weight == WeightKind::full) {
    shape.push_back(config.dim);
    noise /= std::sqrt(static_cast<double>(config.dim));
    weight = tensors.diagonal(config.dim, init).expand(shape).contiguous();
  } else {
    weight = tensors.full(shape, init);
  }
  if (noise > 0.0) weight.add_(tensors.normal(shape, noise));
  return weight;
}

/// f's matrices, which start as other linear layers do.
void make_function(const DiffusionSpec& spec, FreshTensors& tensors, StepTensors& step) {
  const std::int64_t hidden = spec.hidden_dim;
  const std::int64_t outputs = spec.function == FunctionKind::linear ? spec.dim
                               : spec.function == FunctionKind::mlp  ? hidden
                                                                     : 2 * hidden;
  const Linear in(spec.dim, outputs, tensors);
  step.in_weight = in.weight;
  step.in_bias = in.bias;
  if (spec.function == FunctionKind::linear) return;
  const Linear out(hidden, spec.dim, tensors);
  step.out_weight = out.weight;
  step.out_bias = out.bias;
}

}  // namespace

DiffusionSpec diffusion_spec(const ModelConfig& config) {
  DiffusionSpec spec{.dim = config.dim,
                     .hidden_dim = config.hidden_dim > 0 ? config.hidden_dim : 2 * config.dim,
                     .function = config.function,
                     .activation = config.activation,
                     .norm = config.norm,
                     .base = config.base,
                     .weight = config.weight,
                     .weight_learned = config.weight_learned,
                     .alpha = config.alpha,
                     .pooling = config.pooling,
                     .noise_std = config.noise_std,
                     .embedding_dropout = config.embedding_dropout};
  if (config.alpha_learned) spec.alpha.reset();
  if (config.share_weights) spec.parameter_sets = std::ssize(config.dilation);
  for (std::int64_t t = 0; t < config.steps; ++t) {
    const std::int64_t dilation =
        config.dilation[static_cast<std::size_t>(t) % config.dilation.size()];
    spec.shifts.push_back(
        neighbourhood_shifts(config.radius, dilation, config.self_neighbour, config.causal));
  }
  return spec;
}

std::int64_t neighbour_count(const ModelConfig& config) {
  return (config.causal ? 1 : 2) * config.radius + (config.self_neighbour ? 1 : 0);
}

DiffusionStack::DiffusionStack(const ModelConfig& config, FreshTensors& tensors) {
  if (config.steps > 0) check_model(config);
  spec_ = diffusion_spec(config);
  for (std::int64_t set = 0; set < spec_.set_count(); ++set) {
    StepTensors step;
    step.weight = make_weight(config, spec_.neighbours(), tensors);
    if (config.alpha_learned)
      step.alpha_logit = tensors.full({config.dim}, std::log(config.alpha / (1.0 - config.alpha)));
    if (config.norm != NormPosition::none) {
      step.norm_weight = tensors.full({config.dim}, 1.0);
      step.norm_bias = tensors.full({config.dim}, 0.0);
    }
    make_function(spec_, tensors, step);
    parameters_.push_back(std::move(step));
  }
}

at::Tensor DiffusionStack::forward(const at::Tensor& initial,
                                   std::span<const std::int32_t> row_offsets) const {
  return reference_diffusion(spec_, parameters_, initial, row_offsets);
}

void DiffusionStack::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  for (std::size_t t = 0; t < parameters_.size(); ++t) {
    StepTensors& own = parameters_[t];
    const auto visit = [&](const char* name, at::Tensor& tensor, ParameterRole role) {
      if (tensor.defined()) visitor(fmt::format("{}.{}.{}", prefix, t, name), tensor, role);
    };
    if (spec_.weight_learned)
      visit("weight", own.weight,
            own.weight.dim() == 3 ? ParameterRole::matrix : ParameterRole::vector);
    visit("alpha_logit", own.alpha_logit, ParameterRole::vector);
    visit("norm.weight", own.norm_weight, ParameterRole::vector);
    visit("norm.bias", own.norm_bias, ParameterRole::vector);
    visit("function.in.weight", own.in_weight, ParameterRole::matrix);
    visit("function.in.bias", own.in_bias, ParameterRole::vector);
    visit("function.out.weight", own.out_weight, ParameterRole::matrix);
    visit("function.out.bias", own.out_bias, ParameterRole::vector);
  }
}

std::int64_t DiffusionStack::constant_count() const {
  std::int64_t count = 0;
  if (spec_.weight_learned) return count;
  for (const StepTensors& own : parameters_) count += own.weight.numel();
  return count;
}

void DiffusionStack::visit_constants(const ParameterVisitor& visitor) {
  if (spec_.weight_learned) return;
  for (StepTensors& own : parameters_) visitor("", own.weight, ParameterRole::vector);
}

}  // namespace diffuse
