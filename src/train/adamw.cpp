#include "diffuse/train/adamw.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/core.h>

#include <set>
#include <utility>

#include "diffuse/base/error.hpp"

namespace diffuse {

namespace {

std::size_t group_of(ParameterRole role) {
  switch (role) {
    case ParameterRole::matrix:
      return 0;
    case ParameterRole::embedding:
      return 1;
    case ParameterRole::vector:
      return 2;
  }
  throw Error("AdamW: not a role of a parameter.");
}

double times(double rate, double factor) { return rate * factor; }

at::Tensor times(const at::Tensor& rate, double factor) {
  return factor == 1 ? rate : rate.mul(factor);
}

}  // namespace

double AdamWOptions::lr_factor(const NamedParameter& parameter) const {
  const bool words = parameter.role == ParameterRole::embedding && !is_pairs(parameter);
  return words ? embedding_lr_factor : 1.0;
}

AdamW::AdamW(const std::vector<NamedParameter>& parameters, const AdamWOptions& options)
    : options_(options) {
  // gradients() gives them in this order, in which the norm adds them up: another one would round
  // otherwise, and every published figure would have to be measured anew.
  groups_.push_back({.name = "matrix", .weight_decay = options.weight_decay});
  groups_.push_back({.name = "embedding", .weight_decay = options.embedding_weight_decay});
  groups_.push_back({.name = "vector"});
  for (const NamedParameter& parameter : parameters) {
    if (parameter.tensor.scalar_type() != at::kFloat)
      throw Error(fmt::format("AdamW updates float32 parameters; '{}' is of another type.",
                              parameter.name));
    Group& group = groups_.at(group_of(parameter.role));
    group.parameter_names.push_back(parameter.name);
    group.parameters.push_back(parameter.tensor);
    group.lr_factors.push_back(options.lr_factor(parameter));
    const at::Tensor value = parameter.tensor.detach();
    group.averages.push_back(at::zeros_like(value));
    group.square_averages.push_back(at::zeros_like(value));
  }
  for (Group& group : groups_) {
    auto place = at::TensorOptions().dtype(at::kFloat);
    if (!group.parameters.empty()) place = place.device(group.parameters.front().device());
    group.step = at::zeros({}, place);
  }
}

void AdamW::step(double learning_rate, const std::optional<at::Tensor>& gradient_divisor) {
  step_groups(learning_rate, gradient_divisor);
}

void AdamW::step(const at::Tensor& learning_rate,
                 const std::optional<at::Tensor>& gradient_divisor) {
  step_groups(learning_rate, gradient_divisor);
}

template <class Rate>
void AdamW::step_groups(const Rate& learning_rate,
                        const std::optional<at::Tensor>& gradient_divisor) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_) step_group(group, learning_rate, gradient_divisor);
}

template <class Rate>
void AdamW::step_group(Group& group, const Rate& learning_rate,
                       const std::optional<at::Tensor>& gradient_divisor) const {
  bool counted = false;
  for (const double factor : std::set<double>(group.lr_factors.begin(), group.lr_factors.end())) {
    std::vector<at::Tensor> values, gradients, averages, square_averages;
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      if (group.lr_factors[i] != factor || !group.parameters[i].grad().defined()) continue;
      values.push_back(group.parameters[i]);
      // The kernel walks both in memory order: a gradient laid out otherwise would be misread.
      gradients.push_back(group.parameters[i].grad().contiguous());
      averages.push_back(group.averages[i]);
      square_averages.push_back(group.square_averages[i]);
    }
    if (values.empty()) continue;
    if (!std::exchange(counted, true)) group.step.add_(1);
    const std::vector<at::Tensor> steps(values.size(), group.step);
    at::_fused_adamw_(values, gradients, averages, square_averages, {}, steps,
                      times(learning_rate, factor), options_.beta1, options_.beta2,
                      group.weight_decay, options_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false, gradient_divisor);
  }
}

void AdamW::clear_gradients(bool keep_memory) {
  for (Group& group : groups_) {
    for (at::Tensor& parameter : group.parameters) {
      at::Tensor& gradient = parameter.mutable_grad();
      if (keep_memory && gradient.defined())
        gradient.zero_();
      else
        gradient.reset();
    }
  }
}

std::vector<at::Tensor> AdamW::gradients() const {
  std::vector<at::Tensor> found;
  for (const Group& group : groups_)
    for (const at::Tensor& parameter : group.parameters)
      if (parameter.grad().defined()) found.push_back(parameter.grad());
  return found;
}

std::vector<std::pair<std::string, at::Tensor>> AdamW::state() const {
  std::vector<std::pair<std::string, at::Tensor>> named;
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      named.emplace_back("exp_avg." + group.parameter_names[i], group.averages[i]);
      named.emplace_back("exp_avg_sq." + group.parameter_names[i], group.square_averages[i]);
    }
    if (!group.parameters.empty()) named.emplace_back("step." + group.name, group.step);
  }
  return named;
}

}  // namespace diffuse
