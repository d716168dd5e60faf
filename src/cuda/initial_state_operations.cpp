// The operations of diffuse/ops/dispatched/initial_state.hpp on CUDA, and run_sums of
// row_adamw.hpp.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <optional>

#include "kernels.hpp"
#include "ops/dispatched/initial_state_of_tensors.hpp"
#include "ops/dispatched/types_of_elements.hpp"

namespace diffuse::cuda::initial {
namespace {

rows::PlaceWords words_of(const at::Tensor& place) {
  return {place.const_data_ptr<std::int64_t>()};
}

at::Tensor random_place(const at::Tensor& like, std::int64_t seed, std::int64_t rest) {
  const c10::cuda::CUDAGuard guard(like.device());
  at::Tensor place = at::empty({2}, like.options().dtype(at::kLong));
  write_place(seed, rest, place.mutable_data_ptr<std::int64_t>(),
              c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return place;
}

at::Tensor dropped_ids(const at::Tensor& ids, const at::Tensor& place, std::int64_t stream,
                       double probability, std::int64_t span, std::int64_t other) {
  const c10::cuda::CUDAGuard guard(ids.device());
  at::Tensor result = at::empty_like(ids);
  cuda::dropped_ids(ids.const_data_ptr<std::int32_t>(), ids.size(0), words_of(place),
                    static_cast<RandomStream>(stream),
                    keep_threshold(span_start_probability(probability, span)), span,
                    static_cast<std::int32_t>(other), result.mutable_data_ptr<std::int32_t>(),
                    c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

at::Tensor pair_ids(const at::Tensor& tokens, const at::Tensor& offsets, const at::Tensor& of_row,
                    std::int64_t buckets) {
  const c10::cuda::CUDAGuard guard(tokens.device());
  at::Tensor result = at::empty_like(tokens);
  cuda::pair_ids(tokens.const_data_ptr<std::int32_t>(),
                 {offsets.const_data_ptr<std::int32_t>(), of_row.const_data_ptr<std::int32_t>()},
                 tokens.size(0), buckets, result.mutable_data_ptr<std::int32_t>(),
                 c10::cuda::getCurrentCUDAStream());
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

at::Tensor initial_state(const std::optional<at::Tensor>& words,
                         const std::optional<at::Tensor>& word_ids,
                         const std::optional<at::Tensor>& pairs,
                         const std::optional<at::Tensor>& pair_ids, double pair_scale,
                         const std::optional<at::Tensor>& given,
                         const std::optional<at::Tensor>& place, double noise_std, double dropout) {
  const InitialStateTensors from{words, word_ids, pairs,     pair_ids, pair_scale,
                                 given, place,    noise_std, dropout};
  const c10::cuda::CUDAGuard guard(from.options().device());
  at::Tensor result = at::empty({from.rows(), from.dim()}, from.options());
  with_sums(result, [&](auto sum) {
    using A = decltype(sum);
    cuda::initial_state(from.pointers<A>(), result.mutable_data_ptr<A>(),
                        c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

at::Tensor dropped_elements(const at::Tensor& x, const at::Tensor& place, std::int64_t stream,
                            double probability) {
  const c10::cuda::CUDAGuard guard(x.device());
  at::Tensor result = at::empty_like(x);
  with_element_and_sum(x.scalar_type(), [&](auto element, auto sum) {
    using T = decltype(element);
    const auto scale = static_cast<decltype(sum)>(1.0 / (1.0 - probability));
    cuda::dropped_elements(x.const_data_ptr<T>(), x.size(0), x.size(1), words_of(place),
                           static_cast<RandomStream>(stream), keep_threshold(probability), scale,
                           result.mutable_data_ptr<T>(), c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return result;
}

/// The sums of the runs of `ids` into `result`, which is zero.
void add_rows(const at::Tensor& from, const at::Tensor& ids, const at::Tensor& order, double scale,
              bool by_place, const at::Tensor& result) {
  with_sums(from, [&](auto sum) {
    using A = decltype(sum);
    rows::SortedRows<A> sorted = sorted_rows<A>(from, ids, order, scale);
    sorted.by_place = by_place;
    at::Tensor parts =
        at::empty({2, rows::sorted_chunks(sorted.count), sorted.dim}, from.options());
    A* const heads = parts.mutable_data_ptr<A>();
    cuda::sum_rows(sorted, heads, heads + parts.numel() / 2, result.mutable_data_ptr<A>(),
                   c10::cuda::getCurrentCUDAStream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
}

at::Tensor sum_rows(const at::Tensor& from, const at::Tensor& ids, const at::Tensor& order,
                    std::int64_t count, double scale) {
  const c10::cuda::CUDAGuard guard(from.device());
  at::Tensor result = at::zeros({count, from.size(1)}, from.options());
  add_rows(from, ids, order, scale, /*by_place=*/false, result);
  return result;
}

at::Tensor sum_runs(const at::Tensor& from, const at::Tensor& ids, const at::Tensor& order,
                    double scale) {
  const c10::cuda::CUDAGuard guard(from.device());
  at::Tensor result = at::zeros_like(from);
  add_rows(from, ids, order, scale, /*by_place=*/true, result);
  return result;
}

}  // namespace
}  // namespace diffuse::cuda::initial

TORCH_LIBRARY_IMPL(diffuse, CUDA, library) {
  library.impl("random_place", &diffuse::cuda::initial::random_place);
  library.impl("dropped_ids", &diffuse::cuda::initial::dropped_ids);
  library.impl("pair_ids", &diffuse::cuda::initial::pair_ids);
  library.impl("initial_state", &diffuse::cuda::initial::initial_state);
  library.impl("dropped_elements", &diffuse::cuda::initial::dropped_elements);
  library.impl("sum_rows", &diffuse::cuda::initial::sum_rows);
  library.impl("sum_runs", &diffuse::cuda::initial::sum_runs);
}
