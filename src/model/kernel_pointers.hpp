#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/reference/diffusion.hpp"

// How the fused kernels get at the memory of parameters and of their gradients.

namespace diffuse {

/// Null for an undefined tensor.
inline const float* values(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

/// The gradient's memory; zeros where there was none. Null for what is not learned.
inline float* gradient(const at::Tensor& parameter) {
  if (!parameter.defined() || !parameter.requires_grad()) return nullptr;
  at::Tensor& grad = const_cast<at::Tensor&>(parameter).mutable_grad();
  if (!grad.defined()) grad = at::zeros_like(parameter);
  return grad.mutable_data_ptr<float>();
}

template <class Float, class Access>
StepPointers<Float> step_pointers(const StepTensors& step, const Access& access) {
  return {access(step.weight),     access(step.alpha_logit), access(step.norm_weight),
          access(step.norm_bias),  access(step.in_weight),   access(step.in_bias),
          access(step.out_weight), access(step.out_bias)};
}

}  // namespace diffuse
