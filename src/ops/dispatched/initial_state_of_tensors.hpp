#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "diffuse/ops/counter_random.hpp"
#include "ops/rows/initial_state.hpp"
#include "ops/rows/sorted_rows.hpp"

namespace diffuse {

/// The arguments of the operation `diffuse::initial_state`.
struct InitialStateTensors {
  const std::optional<at::Tensor>& words;
  const std::optional<at::Tensor>& word_ids;
  const std::optional<at::Tensor>& pairs;
  const std::optional<at::Tensor>& pair_ids;
  double pair_scale;
  const std::optional<at::Tensor>& given;
  const std::optional<at::Tensor>& place;
  double noise_std;
  double dropout;

  std::int64_t rows() const { return words ? word_ids->size(0) : given->size(0); }
  std::int64_t dim() const { return (words ? words : given)->size(1); }
  at::TensorOptions options() const {
    return (words ? words : given)->options().requires_grad(false);
  }

  /// The pointers, on whatever device.
  template <class A>
  rows::InitialState<A> pointers() const {
    rows::InitialState<A> state{.rows = rows(), .dim = dim()};
    if (words) state.words = {words->const_data_ptr<A>(), word_ids->const_data_ptr<std::int32_t>()};
    if (pairs)
      state.pairs = {pairs->const_data_ptr<A>(), pair_ids->const_data_ptr<std::int32_t>(),
                     static_cast<A>(pair_scale)};
    if (given) state.given = given->const_data_ptr<A>();
    if (!place) return state;
    state.place = {place->const_data_ptr<std::int64_t>()};
    state.noise_std = static_cast<A>(noise_std);
    state.threshold = keep_threshold(dropout);
    state.kept_scale = static_cast<A>(1.0 / (1.0 - dropout));
    return state;
  }
};

/// The arguments of `diffuse::sum_rows`.
template <class A>
rows::SortedRows<A> sorted_rows(const at::Tensor& from, const at::Tensor& ids,
                                const at::Tensor& order, double scale) {
  return {.count = ids.size(0),
          .dim = from.size(1),
          .ids = ids.const_data_ptr<std::int32_t>(),
          .order = order.const_data_ptr<std::int64_t>(),
          .from = from.const_data_ptr<A>(),
          .scale = static_cast<A>(scale)};
}

}  // namespace diffuse
