#include "cpu_initial_state.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include "for_elements.hpp"
#include "initial_state_of_tensors.hpp"
#include "sum_of_rows.hpp"
#include "types_of_elements.hpp"

namespace diffuse::cpu {
namespace {

rows::PlaceWords place_of(const at::Tensor& place) {
  return {place.const_data_ptr<std::int64_t>()};
}

template <class A>
void initial_state_in(const InitialStateTensors& from, at::Tensor& result) {
  const rows::InitialState<A> state = from.pointers<A>();
  A* const to = result.mutable_data_ptr<A>();
  for_elements(state.rows, rows::octets(state.dim), [&](std::int64_t row, std::int64_t octet) {
    const std::int64_t first = octet * rows::kOctet;
    rows::initial_octet(state, row, first, to + row * state.dim + first);
  });
}

}  // namespace

at::Tensor random_place(const at::Tensor& like, std::int64_t seed, std::int64_t rest) {
  at::Tensor place = at::empty({2}, like.options().dtype(at::kLong));
  auto* const to = place.mutable_data_ptr<std::int64_t>();
  to[0] = seed;
  to[1] = rest;
  return place;
}

at::Tensor dropped_ids(const at::Tensor& ids, const at::Tensor& place, std::int64_t stream,
                       double probability, std::int64_t span, std::int64_t other) {
  at::Tensor result = at::empty_like(ids);
  const auto* from = ids.const_data_ptr<std::int32_t>();
  auto* const to = result.mutable_data_ptr<std::int32_t>();
  const RandomPlace own = place_of(place).place();
  const std::uint32_t threshold = keep_threshold(span_start_probability(probability, span));
  for_elements(ids.size(0), 1, [&](std::int64_t row, std::int64_t) {
    to[row] = rows::kept_id(from, own, static_cast<RandomStream>(stream), row, threshold, span,
                            static_cast<std::int32_t>(other));
  });
  return result;
}

at::Tensor pair_ids(const at::Tensor& tokens, const at::Tensor& offsets, const at::Tensor& of_row,
                    std::int64_t buckets) {
  at::Tensor result = at::empty_like(tokens);
  const rows::Texts texts{offsets.const_data_ptr<std::int32_t>(),
                          of_row.const_data_ptr<std::int32_t>()};
  const auto* from = tokens.const_data_ptr<std::int32_t>();
  auto* const to = result.mutable_data_ptr<std::int32_t>();
  for_elements(tokens.size(0), 1, [&](std::int64_t row, std::int64_t) {
    to[row] = rows::pair_id(from, texts, row, buckets);
  });
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
  at::Tensor result = at::empty({from.rows(), from.dim()}, from.options());
  with_sums(result, [&](auto sum) { initial_state_in<decltype(sum)>(from, result); });
  return result;
}

at::Tensor dropped_elements(const at::Tensor& x, const at::Tensor& place, std::int64_t stream,
                            double probability) {
  at::Tensor result = at::empty_like(x);
  const RandomPlace own = place_of(place).place();
  with_element_and_sum(x.scalar_type(), [&](auto element, auto sum) {
    using T = decltype(element);
    const T* from = x.const_data_ptr<T>();
    T* const to = result.mutable_data_ptr<T>();
    const auto scale = static_cast<decltype(sum)>(1.0 / (1.0 - probability));
    const std::int64_t dim = x.size(1);
    for_elements(x.size(0), rows::octets(dim), [&](std::int64_t row, std::int64_t octet) {
      const std::int64_t first = octet * rows::kOctet;
      rows::dropped_octet(from, dim, own, static_cast<RandomStream>(stream),
                          keep_threshold(probability), scale, row, first, to + row * dim + first);
    });
  });
  return result;
}

at::Tensor sum_rows(const at::Tensor& from, const at::Tensor& ids, const at::Tensor& order,
                    std::int64_t count, double scale) {
  at::Tensor result = at::zeros({count, from.size(1)}, from.options());
  with_sums(from, [&](auto sum) {
    using A = decltype(sum);
    add_sorted_rows(sorted_rows<A>(from, ids, order, scale), result.mutable_data_ptr<A>());
  });
  return result;
}

}  // namespace diffuse::cpu
