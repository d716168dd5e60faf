#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>

namespace diffuse::cpu {

/// The operations of dispatched/row_norm.hpp on the CPU, as the dispatcher calls them: contiguous
/// tensors. The rows, and the mean and 1 / deviation of each, [2, N].
std::tuple<at::Tensor, at::Tensor> row_norm(const at::Tensor& x, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps,
                                            at::ScalarType type);
/// Gradients of x, weight and bias.
std::tuple<at::Tensor, at::Tensor, at::Tensor> row_norm_backward(const at::Tensor& gradient,
                                                                 const at::Tensor& x,
                                                                 const at::Tensor& weight,
                                                                 const at::Tensor& moments);

}  // namespace diffuse::cpu
