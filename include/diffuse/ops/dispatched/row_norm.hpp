#pragma once

#include <ATen/core/Tensor.h>

namespace diffuse {

/// Layer norm of each row as an operation of ours, see text_rows.hpp:
/// out_i = (x_i - mean_i) / sqrt(variance_i + eps) ∘ weight + bias.
///
/// `x` [N, D], `weight` and `bias` [D], all of float32 or all of float64; the result is of `type`,
/// that or, of float32, bfloat16 or float16: what a product takes is then written as it takes it.
/// Throws Error for other shapes or types.
at::Tensor row_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    double eps, at::ScalarType type);

}  // namespace diffuse
