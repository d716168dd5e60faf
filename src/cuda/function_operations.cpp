// The operations of diffuse/ops/dispatched/row_norm.hpp and bias_activation.hpp on CUDA.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <tuple>

#include "function_kernels.hpp"
#include "ops/dispatched/activation_of_tensors.hpp"
#include "ops/dispatched/norm_of_tensors.hpp"
#include "ops/dispatched/types_of_elements.hpp"

namespace diffuse::cuda::function {
namespace {

std::tuple<at::Tensor, at::Tensor> row_norm(const at::Tensor& x, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps,
                                            at::ScalarType type) {
  const c10::cuda::CUDAGuard guard(x.device());
  NormResults to(x, type);
  with_element_and_sum(type, [&](auto element, auto sum) {
    using T = decltype(element);
    using A = decltype(sum);
    A* const moments = to.moments.mutable_data_ptr<A>();
    cuda::row_norm(norm_of<T, A>(x, weight, &bias, eps), to.rows.mutable_data_ptr<T>(), moments,
                   moments + x.size(0), c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return to.take();
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> row_norm_backward(const at::Tensor& gradient,
                                                                 const at::Tensor& x,
                                                                 const at::Tensor& weight,
                                                                 const at::Tensor& moments) {
  const c10::cuda::CUDAGuard guard(x.device());
  NormGradients to(x, weight);
  at::Tensor partial = at::empty({norm_partial_elements(x.size(0), x.size(1))}, x.options());
  with_element_and_sum(gradient.scalar_type(), [&](auto element, auto sum) {
    using T = decltype(element);
    using A = decltype(sum);
    const A* const means = moments.const_data_ptr<A>();
    row_norm_gradients(norm_of<T, A>(x, weight, nullptr, 0), gradient.const_data_ptr<T>(), means,
                       means + x.size(0), partial.mutable_data_ptr<A>(), to.x.mutable_data_ptr<A>(),
                       to.weight.mutable_data_ptr<A>(), to.bias.mutable_data_ptr<A>(),
                       c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return to.take();
}

at::Tensor bias_activation(const at::Tensor& product, const at::Tensor& bias,
                           std::int64_t activation, bool gated) {
  const c10::cuda::CUDAGuard guard(product.device());
  at::Tensor result;
  with_element_and_sum(product.scalar_type(), [&](auto element, auto sum) {
    using T = decltype(element);
    const auto of = activation_of<T, decltype(sum)>(product, bias, activation, gated);
    result = at::empty({of.rows, of.dim}, product.options());
    cuda::bias_activation(of, result.mutable_data_ptr<T>(), c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

std::tuple<at::Tensor, at::Tensor> bias_activation_backward(const at::Tensor& gradient,
                                                            const at::Tensor& product,
                                                            const at::Tensor& bias,
                                                            std::int64_t activation, bool gated) {
  const c10::cuda::CUDAGuard guard(product.device());
  at::Tensor to_product = at::empty_like(product);
  at::Tensor to_bias = at::empty_like(bias);
  at::Tensor partial =
      at::empty({activation_partial_elements(product.size(0), product.size(1))}, bias.options());
  with_element_and_sum(product.scalar_type(), [&](auto element, auto sum) {
    using T = decltype(element);
    using A = decltype(sum);
    bias_activation_gradients(activation_of<T, A>(product, bias, activation, gated),
                              gradient.const_data_ptr<T>(), partial.mutable_data_ptr<A>(),
                              to_product.mutable_data_ptr<T>(), to_bias.mutable_data_ptr<A>(),
                              c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return {to_product, to_bias};
}

}  // namespace
}  // namespace diffuse::cuda::function

TORCH_LIBRARY_IMPL(diffuse, CUDA, library) {
  library.impl("row_norm", &diffuse::cuda::function::row_norm);
  library.impl("row_norm_backward", &diffuse::cuda::function::row_norm_backward);
  library.impl("bias_activation", &diffuse::cuda::function::bias_activation);
  library.impl("bias_activation_backward", &diffuse::cuda::function::bias_activation_backward);
}
