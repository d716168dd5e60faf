#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ops/rows/bias_activation.hpp"

namespace diffuse {

/// The pointers of the arguments of `diffuse::bias_activation`, on whatever device.
template <class T, class A>
rows::BiasActivation<T, A> activation_of(const at::Tensor& product, const at::Tensor& bias,
                                         std::int64_t activation, bool gated) {
  return {.rows = product.size(0),
          .dim = gated ? product.size(1) / 2 : product.size(1),
          .product = product.const_data_ptr<T>(),
          .bias = bias.const_data_ptr<A>(),
          .activation = static_cast<Activation>(activation),
          .gated = gated};
}

}  // namespace diffuse
