#include "cpu_text_rows.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "chunk_sums.hpp"
#include "for_elements.hpp"
#include "mix_of_tensors.hpp"
#include "ops/rows/neighbour_mix.hpp"
#include "ops/rows/pool.hpp"
#include "pooled_tensors.hpp"
#include "types_of_elements.hpp"

namespace diffuse::cpu {
namespace {

/// Gradients of weight and keep.
template <class T, class A>
void sum_gradients(const rows::Mix<T, A>& mix, const A* gradient, A* weight, A* keep) {
  const auto all = sums_over_rows<A>(
      mix.rows, (mix.shifts.count + 1) * mix.dim,
      [&](std::int64_t begin, std::int64_t end, A* own) {
        for (std::int64_t channel = 0; channel < mix.dim; ++channel) {
          for (int first = 0; first < mix.shifts.count; first += rows::kWeightsAtOnce) {
            A weights[rows::kWeightsAtOnce] = {};
            A kept = 0;
            rows::add_weight_gradients(mix, gradient, begin, end, channel, first, weights, kept);
            for (int k = first; k < std::min(first + rows::kWeightsAtOnce, mix.shifts.count); ++k)
              own[k * mix.dim + channel] = weights[k - first];
            own[mix.shifts.count * mix.dim + channel] = kept;
          }
        }
      });
  const std::int64_t weights = mix.shifts.count * mix.dim;
  for (std::int64_t at = 0; at < weights; ++at)
    weight[at] = mix.share * all[static_cast<std::size_t>(at)];
  if (mix.keep != nullptr) std::copy_n(all.data() + weights, mix.dim, keep);
}

template <class A>
void pool(const at::Tensor& values, const at::Tensor& offsets, bool mean, bool most,
          PooledTensors& to) {
  const std::int64_t dim = to.dim;
  const auto* bounds = offsets.const_data_ptr<std::int32_t>();
  const A* from = values.const_data_ptr<A>();
  A* const pooled = to.pooled.mutable_data_ptr<A>();
  auto* const ties = to.ties.mutable_data_ptr<std::int32_t>();
  const std::int64_t width = to.pooled.size(1);
  for_elements(to.texts, dim, [&](std::int64_t text, std::int64_t channel) {
    rows::Pooled<A> all;
    for (int part = 0; part < rows::kParts; ++part)
      all = rows::joined(
          all, rows::pooled_part(from, dim, bounds[text], bounds[text + 1], part, channel));
    const auto length = static_cast<A>(bounds[text + 1] - bounds[text]);
    if (mean) pooled[text * width + channel] = all.sum / length;
    if (!most) return;
    pooled[text * width + (mean ? dim : 0) + channel] = all.most;
    ties[text * dim + channel] = all.ties;
  });
}

template <class A>
void pool_backward(const at::Tensor& gradient, const at::Tensor& values, const at::Tensor& pooled,
                   const at::Tensor& ties, const rows::Texts& texts, bool mean, bool most,
                   at::Tensor& result) {
  const std::int64_t dim = values.size(1);
  const std::int64_t width = pooled.size(1);
  const std::int64_t most_at = mean ? dim : 0;
  const A* own = gradient.const_data_ptr<A>();
  const A* from = values.const_data_ptr<A>();
  const A* mosts = pooled.const_data_ptr<A>();
  const std::int32_t* shared = most ? ties.const_data_ptr<std::int32_t>() : nullptr;
  A* const to = result.mutable_data_ptr<A>();
  for_elements(values.size(0), dim, [&](std::int64_t row, std::int64_t channel) {
    const std::int64_t text = texts.of_row[row];
    const std::int64_t at = text * width + channel;
    to[row * dim + channel] = rows::row_gradient<A>(
        mean ? own[at] : 0, texts.end(row) - texts.begin(row), from[row * dim + channel],
        most ? mosts[at + most_at] : 0, most ? own[at + most_at] : 0,
        most ? shared[text * dim + channel] : 0);
  });
}

}  // namespace

at::Tensor text_of_rows(const at::Tensor& offsets, std::int64_t rows) {
  at::Tensor of_row = at::empty({rows}, offsets.options());
  const auto* from = offsets.const_data_ptr<std::int32_t>();
  const auto count = static_cast<std::int32_t>(offsets.size(0) - 1);
  auto* const to = of_row.mutable_data_ptr<std::int32_t>();
  for (std::int64_t row = 0; row < rows; ++row) to[row] = rows::find_text(from, count, row);
  return of_row;
}

at::Tensor neighbour_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
                         const std::optional<at::Tensor>& keep, double keep_value, double share,
                         const at::Tensor& offsets, const at::Tensor& of_row,
                         at::IntArrayRef shifts) {
  const MixTensors of{values, base, weight, keep, keep_value, share, offsets, of_row, shifts};
  at::Tensor result = at::empty_like(base);
  of.with_pointers([&](const auto& mix, auto sum) {
    auto* const to = result.mutable_data_ptr<decltype(sum)>();
    for_elements(mix.rows, mix.dim, [&](std::int64_t row, std::int64_t channel) {
      to[row * mix.dim + channel] = rows::mixed(mix, row, channel);
    });
  });
  return result;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> neighbour_mix_backward(
    const at::Tensor& gradient, const at::Tensor& values, const at::Tensor& base,
    const at::Tensor& weight, const std::optional<at::Tensor>& keep, double keep_value,
    double share, const at::Tensor& offsets, const at::Tensor& of_row, at::IntArrayRef shifts) {
  const MixTensors of{values, base, weight, keep, keep_value, share, offsets, of_row, shifts};
  const MixGradients to(of);
  of.with_pointers([&](const auto& mix, auto sum) {
    using A = decltype(sum);
    using T = std::remove_cvref_t<decltype(*mix.values)>;
    const A* own = gradient.const_data_ptr<A>();
    T* const to_values = to.values.mutable_data_ptr<T>();
    A* const to_base = to.base.mutable_data_ptr<A>();
    for_elements(mix.rows, mix.dim, [&](std::int64_t row, std::int64_t channel) {
      const std::int64_t at = row * mix.dim + channel;
      to_values[at] = static_cast<T>(rows::value_gradient(mix, own, row, channel));
      to_base[at] = mix.kept(channel) * own[at];
    });
    sum_gradients(mix, own, to.weight.mutable_data_ptr<A>(), to.keep.mutable_data_ptr<A>());
  });
  return to.take();
}

at::Tensor neighbour_rows(const at::Tensor& values, const at::Tensor& offsets,
                          const at::Tensor& of_row, std::int64_t shift) {
  at::Tensor result = at::empty_like(values);
  const rows::Texts texts{offsets.const_data_ptr<std::int32_t>(),
                          of_row.const_data_ptr<std::int32_t>()};
  const std::int64_t dim = values.size(1);
  with_elements(values, [&](auto element) {
    using T = decltype(element);
    const T* from = values.const_data_ptr<T>();
    T* const to = result.mutable_data_ptr<T>();
    for_elements(values.size(0), dim, [&](std::int64_t row, std::int64_t channel) {
      to[row * dim + channel] = rows::neighbour_element(from, dim, texts, row, shift, channel);
    });
  });
  return result;
}

std::tuple<at::Tensor, at::Tensor> pool_texts(const at::Tensor& rows, const at::Tensor& offsets,
                                              bool mean, bool most) {
  PooledTensors to(rows, offsets, mean, most);
  if (rows.scalar_type() == at::kDouble)
    pool<double>(rows, offsets, mean, most, to);
  else
    pool<float>(rows, offsets, mean, most, to);
  return {to.pooled, to.ties};
}

at::Tensor pool_texts_backward(const at::Tensor& gradient, const at::Tensor& rows,
                               const at::Tensor& pooled, const at::Tensor& ties,
                               const at::Tensor& offsets, const at::Tensor& of_row, bool mean,
                               bool most) {
  at::Tensor result = at::empty_like(rows);
  const rows::Texts texts{offsets.const_data_ptr<std::int32_t>(),
                          of_row.const_data_ptr<std::int32_t>()};
  if (rows.scalar_type() == at::kDouble)
    pool_backward<double>(gradient, rows, pooled, ties, texts, mean, most, result);
  else
    pool_backward<float>(gradient, rows, pooled, ties, texts, mean, most, result);
  return result;
}

}  // namespace diffuse::cpu
