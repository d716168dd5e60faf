#pragma once

#include <ATen/core/Tensor.h>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// What f does to a product, as one operation of ours, see text_rows.hpp: a(product + bias).
///
/// `product` [N, H], float64, float32, bfloat16 or float16, `bias` [H], of float64 with a float64
/// product, else float32; returns [N, H] in product's type, computed in bias's. Throws Error for
/// other shapes or types.
at::Tensor bias_activation(const at::Tensor& product, const at::Tensor& bias,
                           Activation activation);

/// The same with gates: of (v, w) = product + bias, [N, 2 H] and [2 H], v ∘ a(w), [N, H].
at::Tensor gated_activation(const at::Tensor& product, const at::Tensor& bias,
                            Activation activation);

}  // namespace diffuse
