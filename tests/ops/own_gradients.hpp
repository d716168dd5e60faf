#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace diffuse::testing {

/// Numbers of N(0, 1), rounded to `type`, that a gradient is asked of.
inline at::Tensor random_leaf(at::Device device, at::IntArrayRef shape, std::uint64_t seed,
                              at::ScalarType type = at::kDouble) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble))
      .to(type)
      .to(device)
      .set_requires_grad(true);
}

/// The same numbers in float64, as a leaf of their own.
inline at::Tensor exact_leaf(const at::Tensor& leaf) {
  return leaf.detach().to(at::kDouble).clone().set_requires_grad(true);
}

/// The gradients of the leaves of `result`, in float64, for a random one of it, rounded to `type`.
inline std::vector<at::Tensor> exact_gradients(const at::Tensor& result, at::ScalarType type,
                                               const std::vector<at::Tensor>& leaves) {
  result.backward(
      at::randn(result.sizes(), at::detail::createCPUGenerator(9), at::TensorOptions(at::kDouble))
          .to(type)
          .to(result.options().requires_grad(false)));
  std::vector<at::Tensor> found;
  for (const at::Tensor& leaf : leaves) {
    found.push_back(leaf.grad().to(at::kDouble));
    leaf.mutable_grad().reset();
  }
  return found;
}

/// How far `found` is from `wanted`, as a part of the largest element.
inline double part_off(const at::Tensor& found, const at::Tensor& wanted) {
  const at::Tensor off = found.detach().to(at::kDouble).sub(wanted.detach()).abs().max();
  return off.item<double>() / std::max(wanted.detach().abs().max().item<double>(), 1e-30);
}

}  // namespace diffuse::testing
