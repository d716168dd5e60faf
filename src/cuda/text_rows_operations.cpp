// The operations of diffuse/ops/dispatched/text_rows.hpp on CUDA.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <optional>
#include <tuple>
#include <type_traits>

#include "kernels.hpp"
#include "ops/dispatched/mix_of_tensors.hpp"
#include "ops/dispatched/pooled_tensors.hpp"
#include "ops/dispatched/types_of_elements.hpp"

namespace diffuse::cuda::operations {
namespace {

const std::int32_t* integers(const at::Tensor& tensor) {
  return tensor.const_data_ptr<std::int32_t>();
}

at::Tensor text_of_rows(const at::Tensor& offsets, std::int64_t rows) {
  const c10::cuda::CUDAGuard guard(offsets.device());
  at::Tensor of_row = at::empty({rows}, offsets.options());
  cuda::text_of_rows(integers(offsets), static_cast<std::int32_t>(offsets.size(0) - 1), rows,
                     of_row.mutable_data_ptr<std::int32_t>(), c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return of_row;
}

at::Tensor neighbour_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
                         const std::optional<at::Tensor>& keep, double keep_value, double share,
                         const at::Tensor& offsets, const at::Tensor& of_row,
                         at::IntArrayRef shifts) {
  const c10::cuda::CUDAGuard guard(values.device());
  const MixTensors of{values, base, weight, keep, keep_value, share, offsets, of_row, shifts};
  at::Tensor result = at::empty_like(base);
  of.with_pointers([&](const auto& mix, auto sum) {
    cuda::mix(mix, result.mutable_data_ptr<decltype(sum)>(), c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> neighbour_mix_backward(
    const at::Tensor& gradient, const at::Tensor& values, const at::Tensor& base,
    const at::Tensor& weight, const std::optional<at::Tensor>& keep, double keep_value,
    double share, const at::Tensor& offsets, const at::Tensor& of_row, at::IntArrayRef shifts) {
  const c10::cuda::CUDAGuard guard(values.device());
  const MixTensors of{values, base, weight, keep, keep_value, share, offsets, of_row, shifts};
  const MixGradients to(of);
  of.with_pointers([&](const auto& mix, auto sum) {
    using A = decltype(sum);
    using T = std::remove_cvref_t<decltype(*mix.values)>;
    const auto stream = c10::cuda::getCurrentCUDAStream();
    const A* own = gradient.const_data_ptr<A>();
    mix_row_gradients(mix, own, to.values.mutable_data_ptr<T>(), to.base.mutable_data_ptr<A>(),
                      stream);
    at::Tensor partial =
        at::empty({mix_partial_elements(mix.rows, mix.dim, mix.shifts.count)}, base.options());
    mix_weight_gradients(mix, own, partial.mutable_data_ptr<A>(), to.weight.mutable_data_ptr<A>(),
                         to.keep.mutable_data_ptr<A>(), stream);
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return to.take();
}

at::Tensor neighbour_rows(const at::Tensor& values, const at::Tensor& offsets,
                          const at::Tensor& of_row, std::int64_t shift) {
  const c10::cuda::CUDAGuard guard(values.device());
  at::Tensor result = at::empty_like(values);
  with_elements(values, [&](auto element) {
    using T = decltype(element);
    cuda::neighbour_rows(values.const_data_ptr<T>(), {integers(offsets), integers(of_row)},
                         values.size(0), values.size(1), shift, result.mutable_data_ptr<T>(),
                         c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

template <class A>
Pool<A> pool_of(const at::Tensor& rows, const at::Tensor& offsets, std::int64_t width) {
  return {.texts = offsets.size(0) - 1,
          .rows = rows.size(0),
          .dim = rows.size(1),
          .width = width,
          .offsets = integers(offsets),
          .values = rows.const_data_ptr<A>()};
}

template <class A>
void pool_in(const at::Tensor& rows, const at::Tensor& offsets, bool mean, bool most,
             PooledTensors& to) {
  A* const pooled = to.pooled.mutable_data_ptr<A>();
  pool(pool_of<A>(rows, offsets, to.pooled.size(1)), mean ? pooled : nullptr,
       most ? pooled + (mean ? to.dim : 0) : nullptr, to.ties.mutable_data_ptr<std::int32_t>(),
       c10::cuda::getCurrentCUDAStream());
}

std::tuple<at::Tensor, at::Tensor> pool_texts(const at::Tensor& rows, const at::Tensor& offsets,
                                              bool mean, bool most) {
  const c10::cuda::CUDAGuard guard(rows.device());
  PooledTensors to(rows, offsets, mean, most);
  if (rows.scalar_type() == at::kDouble)
    pool_in<double>(rows, offsets, mean, most, to);
  else
    pool_in<float>(rows, offsets, mean, most, to);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return {to.pooled, to.ties};
}

template <class A>
void pool_gradient_in(const at::Tensor& gradient, const at::Tensor& rows, const at::Tensor& pooled,
                      const at::Tensor& ties, const at::Tensor& offsets, const at::Tensor& of_row,
                      bool mean, bool most, at::Tensor& result) {
  const std::int64_t most_at = mean ? rows.size(1) : 0;
  const A* own = gradient.const_data_ptr<A>();
  pool_gradient(pool_of<A>(rows, offsets, pooled.size(1)), integers(of_row), mean ? own : nullptr,
                most ? own + most_at : nullptr,
                most ? pooled.const_data_ptr<A>() + most_at : nullptr,
                most ? integers(ties) : nullptr, result.mutable_data_ptr<A>(),
                c10::cuda::getCurrentCUDAStream());
}

at::Tensor pool_texts_backward(const at::Tensor& gradient, const at::Tensor& rows,
                               const at::Tensor& pooled, const at::Tensor& ties,
                               const at::Tensor& offsets, const at::Tensor& of_row, bool mean,
                               bool most) {
  const c10::cuda::CUDAGuard guard(rows.device());
  at::Tensor result = at::empty_like(rows);
  if (rows.scalar_type() == at::kDouble)
    pool_gradient_in<double>(gradient, rows, pooled, ties, offsets, of_row, mean, most, result);
  else
    pool_gradient_in<float>(gradient, rows, pooled, ties, offsets, of_row, mean, most, result);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

}  // namespace
}  // namespace diffuse::cuda::operations

TORCH_LIBRARY_IMPL(diffuse, CUDA, library) {
  library.impl("text_of_rows", &diffuse::cuda::operations::text_of_rows);
  library.impl("neighbour_mix", &diffuse::cuda::operations::neighbour_mix);
  library.impl("neighbour_mix_backward", &diffuse::cuda::operations::neighbour_mix_backward);
  library.impl("neighbour_rows", &diffuse::cuda::operations::neighbour_rows);
  library.impl("pool_texts", &diffuse::cuda::operations::pool_texts);
  library.impl("pool_texts_backward", &diffuse::cuda::operations::pool_texts_backward);
}
