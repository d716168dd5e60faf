#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <tuple>

namespace diffuse::cpu {

/// The operations of dispatched/bias_activation.hpp on the CPU, as the dispatcher calls them:
/// contiguous tensors, `activation` the number of an Activation.
at::Tensor bias_activation(const at::Tensor& product, const at::Tensor& bias,
                           std::int64_t activation, bool gated);
/// Gradients of product and bias.
std::tuple<at::Tensor, at::Tensor> bias_activation_backward(const at::Tensor& gradient,
                                                            const at::Tensor& product,
                                                            const at::Tensor& bias,
                                                            std::int64_t activation, bool gated);

}  // namespace diffuse::cpu
