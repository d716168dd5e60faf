#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "ops/rows/bias_activation.hpp"
#include "ops/rows/row_norm.hpp"

namespace diffuse::cuda {

/// The kernels of norm and f's epilogue, as those of kernels.hpp. T: float, c10::BFloat16 or
/// c10::Half with A float; double with double.

/// `result` [N, D], `means` and `scales` [N].
template <class T, class A>
void row_norm(const rows::RowNorm<T, A>& norm, T* result, A* means, A* scales, cudaStream_t stream);

/// Elements of the memory that row_norm_gradients needs.
std::int64_t norm_partial_elements(std::int64_t rows, std::int64_t dim);

/// Gradients of x [N, D], weight and bias [D]; `partial` for sums meanwhile.
template <class T, class A>
void row_norm_gradients(const rows::RowNorm<T, A>& norm, const T* gradient, const A* means,
                        const A* scales, A* partial, A* x, A* weight, A* bias, cudaStream_t stream);

/// `result` [N, H].
template <class T, class A>
void bias_activation(const rows::BiasActivation<T, A>& of, T* result, cudaStream_t stream);

/// Elements of the memory that bias_activation_gradients needs; `width` the product's channels.
std::int64_t activation_partial_elements(std::int64_t rows, std::int64_t width);

/// Gradients of product and bias; `partial` for sums meanwhile.
template <class T, class A>
void bias_activation_gradients(const rows::BiasActivation<T, A>& of, const T* gradient, A* partial,
                               T* product, A* bias, cudaStream_t stream);

}  // namespace diffuse::cuda
