#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <cstdint>
#include <tuple>

#include "ops/rows/row_norm.hpp"

namespace diffuse {

/// The pointers of the arguments of `diffuse::row_norm`, on whatever device.
template <class T, class A>
rows::RowNorm<T, A> norm_of(const at::Tensor& x, const at::Tensor& weight, const at::Tensor* bias,
                            double eps) {
  return {.rows = x.size(0),
          .dim = x.size(1),
          .x = x.const_data_ptr<A>(),
          .weight = weight.const_data_ptr<A>(),
          .bias = bias != nullptr ? bias->const_data_ptr<A>() : nullptr,
          .eps = static_cast<A>(eps)};
}

/// What row_norm fills: the rows, and the mean and 1 / deviation of each, [2, N].
struct NormResults {
  NormResults(const at::Tensor& x, at::ScalarType type)
      : rows(at::empty_like(x, x.options().dtype(type))),
        moments(at::empty({2, x.size(0)}, x.options())) {}

  std::tuple<at::Tensor, at::Tensor> take() const { return {rows, moments}; }

  at::Tensor rows, moments;
};

/// What row_norm_backward fills: the gradients of x, weight and bias.
struct NormGradients {
  NormGradients(const at::Tensor& of, const at::Tensor& parameter)
      : x(at::empty_like(of)), weight(at::empty_like(parameter)), bias(at::empty_like(parameter)) {}

  std::tuple<at::Tensor, at::Tensor, at::Tensor> take() const { return {x, weight, bias}; }

  at::Tensor x, weight, bias;
};

}  // namespace diffuse
