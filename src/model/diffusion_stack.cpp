#include "diffuse/model/diffusion_stack.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sigmoid.h>
#include <fmt/core.h>

#include <cmath>

#include "diffuse/config/model_rules.hpp"
#include "diffuse/ops/diffusion_step.hpp"

namespace diffuse {
namespace {

/// W of one step: weight_init (0: one over the neighbourhood's size) in every factor, or on every
/// diagonal, plus normal noise of weight_init_std where W is learned; full matrices divide the
/// noise by sqrt(D), so that W ∘ u gets about the same spread as with factors.
at::Tensor make_weight(const ModelConfig& config, std::int64_t count, at::Generator& generator) {
  const double init =
      config.weight_init != 0.0 ? config.weight_init : 1.0 / static_cast<double>(count);
  double noise = config.weight_learned ? config.weight_init_std : 0.0;
  std::vector<std::int64_t> shape = {count};
  if (config.weight != WeightKind::scalar) shape.push_back(config.dim);
  at::Tensor weight;
  if (config.weight == WeightKind::full) {
    shape.push_back(config.dim);
    noise /= std::sqrt(static_cast<double>(config.dim));
    weight = at::mul(at::eye(config.dim, at::kFloat), init).expand(shape).contiguous();
  } else {
    weight = at::full(shape, init, at::kFloat);
  }
  if (noise > 0.0) weight.add_(at::empty(shape, at::kFloat).normal_(0.0, noise, generator));
  return weight;
}

}  // namespace

StepFunction::StepFunction(const ModelConfig& config, at::Generator& generator)
    : kind_(config.function), activation_(config.activation) {
  const std::int64_t dim = config.dim;
  const std::int64_t hidden = config.hidden_dim > 0 ? config.hidden_dim : 2 * dim;
  switch (kind_) {
    case FunctionKind::linear:
      in_ = Linear(dim, dim, generator);
      break;
    case FunctionKind::mlp:
      in_ = Linear(dim, hidden, generator);
      out_ = Linear(hidden, dim, generator);
      break;
    case FunctionKind::glu:
      in_ = Linear(dim, 2 * hidden, generator);
      out_ = Linear(hidden, dim, generator);
      break;
  }
}

at::Tensor StepFunction::forward(const at::Tensor& x) const {
  const at::Tensor hidden = in_.forward(x);
  if (kind_ == FunctionKind::linear) return activate(hidden, activation_);
  if (kind_ == FunctionKind::mlp) return out_.forward(activate(hidden, activation_));
  const std::vector<at::Tensor> halves = hidden.chunk(2, 1);
  return out_.forward(at::mul(halves[0], activate(halves[1], activation_)));
}

void StepFunction::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  in_.visit(prefix + ".in", visitor);
  if (kind_ != FunctionKind::linear) out_.visit(prefix + ".out", visitor);
}

DiffusionStack::DiffusionStack(const ModelConfig& config, at::Generator& generator)
    : alpha_(config.alpha),
      share_weights_(config.share_weights),
      weight_learned_(config.weight_learned),
      norm_(config.norm),
      base_(config.base) {
  if (config.steps == 0) return;
  check_model(config);
  for (std::int64_t t = 0; t < config.steps; ++t) {
    const std::size_t entry = config.dilation.size() == 1 ? 0 : static_cast<std::size_t>(t);
    shifts_.push_back(
        neighbourhood_shifts(config.radius, config.dilation[entry], config.self_neighbour));
    all_shifts_.insert(all_shifts_.end(), shifts_.back().begin(), shifts_.back().end());
  }
  const auto neighbours = static_cast<std::int64_t>(shifts_.front().size());
  const std::int64_t sets = share_weights_ ? 1 : config.steps;
  for (std::int64_t t = 0; t < sets; ++t) {
    at::Tensor weight = make_weight(config, neighbours, generator);
    std::optional<at::Tensor> alpha;
    if (config.alpha_learned) {
      alpha = at::full({config.dim}, std::log(config.alpha / (1.0 - config.alpha)), at::kFloat);
    }
    std::optional<LayerNorm> norm;
    if (norm_ != NormPosition::none) norm.emplace(config.dim);
    parameters_.push_back(
        {std::move(weight), std::move(alpha), std::move(norm), StepFunction(config, generator)});
  }
}

at::Tensor DiffusionStack::forward(const at::Tensor& initial,
                                   std::span<const std::int32_t> row_offsets) const {
  const NeighbourMasks masks(row_offsets, all_shifts_, initial.device());
  at::Tensor state = initial;
  for (std::size_t t = 0; t < shifts_.size(); ++t) {
    const at::Tensor values = step_values(state, t);
    state = step(base_ == BaseState::state ? state : initial, values, t, masks);
  }
  return state;
}

at::Tensor DiffusionStack::step_values(const at::Tensor& state, std::size_t index) const {
  const StepParameters& own = parameters_of(index);
  return own.function.forward(norm_ == NormPosition::pre ? own.norm->forward(state) : state);
}

at::Tensor DiffusionStack::step(const at::Tensor& base, const at::Tensor& values, std::size_t index,
                                const NeighbourMasks& masks) const {
  const StepParameters& own = parameters_of(index);
  const std::vector<std::int64_t>& shifts = shifts_[index];
  const at::Tensor next =
      own.alpha ? diffusion_step(base, values, own.weight, at::sigmoid(*own.alpha), shifts, masks)
                : diffusion_step(base, values, own.weight, alpha_, shifts, masks);
  return norm_ == NormPosition::post ? own.norm->forward(next) : next;
}

void DiffusionStack::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  for (std::size_t t = 0; t < parameters_.size(); ++t) {
    StepParameters& own = parameters_[t];
    const std::string name = fmt::format("{}.{}", prefix, t);
    if (weight_learned_) {
      visitor(name + ".weight", own.weight,
              own.weight.dim() == 3 ? ParameterRole::matrix : ParameterRole::vector);
    }
    if (own.alpha) visitor(name + ".alpha_logit", *own.alpha, ParameterRole::vector);
    if (own.norm) own.norm->visit(name + ".norm", visitor);
    own.function.visit(name + ".function", visitor);
  }
}

void DiffusionStack::visit_constants(const ParameterVisitor& visitor) {
  if (weight_learned_) return;
  for (StepParameters& own : parameters_) visitor("", own.weight, ParameterRole::vector);
}

}  // namespace diffuse
