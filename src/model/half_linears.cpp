#include "half_linears.hpp"

#include <ATen/core/grad_mode.h>

#include "distilbert_module.hpp"

namespace diffuse {
namespace {

using torch::jit::Module;

bool is_our_linear(const Module& module) {
  const auto name = module.type()->name();
  return name && name->name() == kLinearClass &&
         name->qualifiedName().starts_with(kDistilBertScope);
}

/// A copy of `module` that shares its tensors but for those of linear layers, which are added to
/// `weights`.
Module with_half_linears(const Module& module, at::ScalarType type,
                         std::vector<at::Tensor>& weights) {
  Module copy = module.copy();
  for (const auto& child : module.named_children())
    copy.setattr(child.name, with_half_linears(child.value, type, weights)._ivalue());
  if (!is_our_linear(module)) return copy;
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    weights.push_back(parameter.value);
    copy.setattr(parameter.name, parameter.value.detach().to(type));
  }
  return copy;
}

}  // namespace

bool HalfLinears::are_in(const Module& module) {
  for (const Module& part : module.modules()) {
    if (is_our_linear(part)) return true;
  }
  return false;
}

const Module& HalfLinears::of(const Module& module, at::ScalarType type) {
  if (half_ && type == type_ && versions() == versions_) return *half_;
  clear();
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> weights;
  half_ = with_half_linears(module, type, weights);
  type_ = type;
  weights_ = std::move(weights);
  versions_ = versions();
  return *half_;
}

void HalfLinears::clear() {
  half_.reset();
  weights_.clear();
  versions_.clear();
}

std::vector<HalfLinears::Version> HalfLinears::versions() const {
  std::vector<Version> found;
  found.reserve(weights_.size());
  for (const at::Tensor& weight : weights_) {
    found.push_back({weight.const_data_ptr(), static_cast<std::uint32_t>(weight._version())});
  }
  return found;
}

}  // namespace diffuse
