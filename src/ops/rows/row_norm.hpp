#pragma once

#include <cmath>
#include <cstdint>

#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// Lanes that share a row's channels: lane l has channels l, l + kNormLanes, …. What they found is
/// added in halves, lane l and lane l + 16, then l + 8 and so on, as a GPU's warp does by itself.
inline constexpr int kNormLanes = 32;

/// Rows to be normalised: out_i = (x_i - mean_i) / deviation_i ∘ weight + bias. T is the type of
/// the results (and of their gradient), A that of all else and of sums.
template <class T, class A>
struct RowNorm {
  std::int64_t rows = 0;      ///< N
  std::int64_t dim = 0;       ///< D
  const A* x = nullptr;       ///< [N, D]
  const A* weight = nullptr;  ///< [D]
  const A* bias = nullptr;    ///< [D]; not needed for gradients
  A eps = 0;

  DIFFUSE_HOST_DEVICE A at(std::int64_t row, std::int64_t channel) const {
    return x[row * dim + channel];
  }
};

/// Two sums of a row, or of a lane's part of it.
template <class A>
struct TwoSums {
  A first;
  A second;
};

template <class A>
DIFFUSE_HOST_DEVICE inline TwoSums<A> joined_two(const TwoSums<A>& a, const TwoSums<A>& b) {
  return {a.first + b.first, a.second + b.second};
}

/// Of what each lane found: what all come to.
template <class A>
inline TwoSums<A> joined_lanes(TwoSums<A> (&lanes)[kNormLanes]) {
  for (int half = kNormLanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; ++lane)
      lanes[lane] = joined_two(lanes[lane], lanes[lane + half]);
  return lanes[0];
}

/// Σ (x - x_0) and Σ (x - x_0)² of a lane's channels, x_0 the row's first: one pass over the row.
/// Without x_0 a row far from 0 would lose its deviation to rounding; as no element is farther from
/// the mean than √D deviations, that costs D roundings at the worst.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline TwoSums<A> lane_moments(const RowNorm<T, A>& norm, std::int64_t row,
                                                   int lane) {
  const A origin = norm.at(row, 0);
  TwoSums<A> sums{0, 0};
  for (std::int64_t c = lane; c < norm.dim; c += kNormLanes) {
    const A away = norm.at(row, c) - origin;
    sums.first += away;
    sums.second += away * away;
  }
  return sums;
}

/// A row's mean, and 1 over its deviation.
template <class A>
struct Moments {
  A mean;
  A scale;
};

template <class T, class A>
DIFFUSE_HOST_DEVICE inline Moments<A> moments(const RowNorm<T, A>& norm, std::int64_t row,
                                              const TwoSums<A>& sums) {
  const auto count = static_cast<A>(norm.dim);
  const A away = sums.first / count;
  const A variance = sums.second / count - away * away;
  // What is not a number stays one.
  return {norm.at(row, 0) + away, 1 / std::sqrt((variance < 0 ? A{0} : variance) + norm.eps)};
}

template <class T, class A>
DIFFUSE_HOST_DEVICE inline T normalised_element(const RowNorm<T, A>& norm, std::int64_t row,
                                                std::int64_t channel, const Moments<A>& of) {
  return static_cast<T>((norm.at(row, channel) - of.mean) * of.scale * norm.weight[channel] +
                        norm.bias[channel]);
}

/// Σ of a lane's gradients, and of their products with what was normalised, both by `weight`.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline TwoSums<A> lane_gradient_sums(const RowNorm<T, A>& norm,
                                                         const T* gradient, std::int64_t row,
                                                         const Moments<A>& of, int lane) {
  TwoSums<A> sums{0, 0};
  for (std::int64_t c = lane; c < norm.dim; c += kNormLanes) {
    const A own = static_cast<A>(gradient[row * norm.dim + c]) * norm.weight[c];
    sums.first += own;
    sums.second += own * ((norm.at(row, c) - of.mean) * of.scale);
  }
  return sums;
}

/// The gradient of x at one element, of the row's lane_gradient_sums; adds up those of weight
/// (without `weight`) and bias.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline A norm_gradient(const RowNorm<T, A>& norm, const T* gradient,
                                           std::int64_t row, std::int64_t channel,
                                           const Moments<A>& of, const TwoSums<A>& sums, A& weight,
                                           A& bias) {
  const A plain = (norm.at(row, channel) - of.mean) * of.scale;
  const auto own = static_cast<A>(gradient[row * norm.dim + channel]);
  weight += own * plain;
  bias += own;
  const auto count = static_cast<A>(norm.dim);
  return of.scale *
         (own * norm.weight[channel] - sums.first / count - plain * (sums.second / count));
}

}  // namespace diffuse::rows
