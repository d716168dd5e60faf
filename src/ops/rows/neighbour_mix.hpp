#pragma once

#include <cstdint>

#include "ops/rows/chunks_of_rows.hpp"
#include "ops/rows/host_device.hpp"
#include "ops/rows/text_of_row.hpp"

namespace diffuse::rows {

/// Where neighbours are, from the row that they are mixed into.
struct Shifts {
  static constexpr int kMost = 32;
  int count = 0;  ///< K
  std::int32_t at[kMost] = {};
};

/// What one step mixes: out_i = keep ∘ base_i + share · Σ_k weight_k ∘ values_{i + shifts[k]}, a
/// neighbour outside of the row's text left out. T is the type of the values, A that of all else
/// and of sums.
template <class T, class A>
struct Mix {
  std::int64_t rows = 0;  ///< N
  std::int64_t dim = 0;   ///< D
  Texts texts{};
  Shifts shifts{};
  const T* values = nullptr;  ///< [N, D]
  const A* base = nullptr;    ///< [N, D]
  const A* weight = nullptr;  ///< [K, D], or [K]
  bool by_channel = true;     ///< whether `weight` is [K, D]
  const A* keep = nullptr;    ///< [D]; null: `keep_value` for all
  A keep_value = 0;
  A share = 1;

  DIFFUSE_HOST_DEVICE A weight_of(int k, std::int64_t channel) const {
    return share * (by_channel ? weight[k * dim + channel] : weight[k]);
  }
  DIFFUSE_HOST_DEVICE A kept(std::int64_t channel) const {
    return keep != nullptr ? keep[channel] : keep_value;
  }
};

/// One element of the row `shift` rows behind `row`, or 0 where that is not of the same text.
template <class T>
DIFFUSE_HOST_DEVICE inline T neighbour_element(const T* values, std::int64_t dim,
                                               const Texts& texts, std::int64_t row,
                                               std::int64_t shift, std::int64_t channel) {
  const std::int64_t other = row + shift;
  if (other < texts.begin(row) || other >= texts.end(row)) return T(0);
  return values[other * dim + channel];
}

/// One element of the result.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline A mixed(const Mix<T, A>& mix, std::int64_t row, std::int64_t channel) {
  const std::int64_t begin = mix.texts.begin(row);
  const std::int64_t end = mix.texts.end(row);
  A sum = mix.kept(channel) * mix.base[row * mix.dim + channel];
  for (int k = 0; k < mix.shifts.count; ++k) {
    const std::int64_t other = row + mix.shifts.at[k];
    if (other >= begin && other < end)
      sum += mix.weight_of(k, channel) * static_cast<A>(mix.values[other * mix.dim + channel]);
  }
  return sum;
}

/// The gradient of one element of the values: of all rows whose neighbour it is. `gradient` [N, D]
/// is that of the result.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline A value_gradient(const Mix<T, A>& mix, const A* gradient,
                                            std::int64_t row, std::int64_t channel) {
  const std::int64_t begin = mix.texts.begin(row);
  const std::int64_t end = mix.texts.end(row);
  A sum = 0;
  for (int k = 0; k < mix.shifts.count; ++k) {
    const std::int64_t other = row - mix.shifts.at[k];
    if (other >= begin && other < end)
      sum += mix.weight_of(k, channel) * gradient[other * mix.dim + channel];
  }
  return sum;
}

/// Weights whose gradients one pass over the rows adds up: as many as a GPU's thread has registers
/// for.
inline constexpr int kWeightsAtOnce = 8;

/// Adds up the gradients of weight[first + 0 … kWeightsAtOnce - 1] by channel, without `share`, and
/// of `keep`, where it is a tensor, over rows `from` … `to` - 1, one after the other. Weights
/// beyond the last are left at 0.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline void add_weight_gradients(const Mix<T, A>& mix, const A* gradient,
                                                     std::int64_t from, std::int64_t to,
                                                     std::int64_t channel, int first,
                                                     A (&weights)[kWeightsAtOnce], A& keep) {
  for (std::int64_t row = from; row < to; ++row) {
    const std::int64_t begin = mix.texts.begin(row);
    const std::int64_t end = mix.texts.end(row);
    const A own = gradient[row * mix.dim + channel];
    if (mix.keep != nullptr) keep += own * mix.base[row * mix.dim + channel];
#ifdef __CUDACC__
#pragma unroll
#endif
    for (int k = 0; k < kWeightsAtOnce; ++k) {
      if (first + k >= mix.shifts.count) continue;
      const std::int64_t other = row + mix.shifts.at[first + k];
      if (other >= begin && other < end)
        weights[k] += own * static_cast<A>(mix.values[other * mix.dim + channel]);
    }
  }
}

}  // namespace diffuse::rows
