#include "cpu_row_norm.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "chunk_sums.hpp"
#include "norm_of_tensors.hpp"
#include "types_of_elements.hpp"

namespace diffuse::cpu {
namespace {

/// What all lanes' channels come to.
template <class A, class Lane>
rows::TwoSums<A> over_lanes(const Lane& lane_sums) {
  rows::TwoSums<A> lanes[rows::kNormLanes];
  for (int lane = 0; lane < rows::kNormLanes; ++lane) lanes[lane] = lane_sums(lane);
  return rows::joined_lanes(lanes);
}

template <class T, class A>
void normalise(const rows::RowNorm<T, A>& norm, NormResults& to) {
  T* const result = to.rows.mutable_data_ptr<T>();
  A* const means = to.moments.mutable_data_ptr<A>();
  A* const scales = means + norm.rows;
  constexpr std::int64_t kTask = 64;
  at::parallel_for(0, norm.rows, kTask, [&](std::int64_t from, std::int64_t end) {
    for (std::int64_t row = from; row < end; ++row) {
      const rows::Moments<A> of = rows::moments(
          norm, row, over_lanes<A>([&](int lane) { return rows::lane_moments(norm, row, lane); }));
      means[row] = of.mean;
      scales[row] = of.scale;
      for (std::int64_t channel = 0; channel < norm.dim; ++channel)
        result[row * norm.dim + channel] = rows::normalised_element(norm, row, channel, of);
    }
  });
}

template <class T, class A>
void norm_gradients(const rows::RowNorm<T, A>& norm, const at::Tensor& gradient,
                    const at::Tensor& moments, NormGradients& to) {
  const T* const own = gradient.const_data_ptr<T>();
  const A* const means = moments.const_data_ptr<A>();
  A* const x = to.x.mutable_data_ptr<A>();
  const auto sums =
      sums_over_rows<A>(norm.rows, 2 * norm.dim, [&](std::int64_t begin, std::int64_t end, A* sum) {
        for (std::int64_t row = begin; row < end; ++row) {
          const rows::Moments<A> of{means[row], means[norm.rows + row]};
          const auto all = over_lanes<A>(
              [&](int lane) { return rows::lane_gradient_sums(norm, own, row, of, lane); });
          for (std::int64_t channel = 0; channel < norm.dim; ++channel)
            x[row * norm.dim + channel] = rows::norm_gradient(
                norm, own, row, channel, of, all, sum[channel], sum[norm.dim + channel]);
        }
      });
  std::copy_n(sums.begin(), norm.dim, to.weight.mutable_data_ptr<A>());
  std::copy_n(sums.begin() + norm.dim, norm.dim, to.bias.mutable_data_ptr<A>());
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> row_norm(const at::Tensor& x, const at::Tensor& weight,
                                            const at::Tensor& bias, double eps,
                                            at::ScalarType type) {
  NormResults to(x, type);
  with_element_and_sum(type, [&](auto element, auto sum) {
    normalise(norm_of<decltype(element), decltype(sum)>(x, weight, &bias, eps), to);
  });
  return to.take();
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> row_norm_backward(const at::Tensor& gradient,
                                                                 const at::Tensor& x,
                                                                 const at::Tensor& weight,
                                                                 const at::Tensor& moments) {
  NormGradients to(x, weight);
  with_element_and_sum(gradient.scalar_type(), [&](auto element, auto sum) {
    norm_gradients(norm_of<decltype(element), decltype(sum)>(x, weight, nullptr, 0), gradient,
                   moments, to);
  });
  return to.take();
}

}  // namespace diffuse::cpu
