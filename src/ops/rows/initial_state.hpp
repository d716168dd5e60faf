#pragma once

#include <cstdint>

#include "diffuse/ops/bigrams.hpp"
#include "ops/rows/host_device.hpp"
#include "ops/rows/random.hpp"
#include "ops/rows/text_of_row.hpp"

namespace diffuse::rows {

/// The token of `row` after dropout of tokens or of pairs, which puts `other` in its place.
DIFFUSE_HOST_DEVICE inline std::int32_t kept_id(const std::int32_t* ids, const RandomPlace& place,
                                                RandomStream stream, std::int64_t row,
                                                std::uint32_t threshold, std::int32_t other) {
  return is_kept(place, stream, row, 0, threshold) ? ids[row] : other;
}

/// The row of the pair that the token of `row` ends (ops/bigrams.hpp).
DIFFUSE_HOST_DEVICE inline std::int32_t pair_id(const std::int32_t* tokens, const Texts& texts,
                                                std::int64_t row, std::int64_t buckets) {
  const std::int64_t previous =
      row == texts.begin(row) ? 0 : static_cast<std::int64_t>(tokens[row - 1]) + 1;
  return bigram_row(previous, tokens[row], buckets);
}

/// A table whose rows are part of the initial state.
template <class A>
struct IdTable {
  const A* rows = nullptr;            ///< [V, D]; null: none
  const std::int32_t* ids = nullptr;  ///< [N], of each row of the batch; -1: none
  A scale = 1;
};

/// What the initial state is made of: h0 = dropout(Σ scale · table[ids] + given + eps).
template <class A>
struct InitialState {
  std::int64_t rows = 0;  ///< N
  std::int64_t dim = 0;   ///< D
  IdTable<A> words{};
  IdTable<A> pairs{};
  const A* given = nullptr;  ///< [N, D]; null: none
  PlaceWords place{};        ///< null: neither noise nor dropout
  A noise_std = 0;
  std::uint32_t threshold = kKeepsAll;  ///< keep_threshold of the dropout
  A kept_scale = 1;                     ///< of what it leaves
};

template <class A>
DIFFUSE_HOST_DEVICE inline A element_of(const IdTable<A>& table, std::int64_t dim, std::int64_t row,
                                        std::int64_t channel) {
  if (table.rows == nullptr || table.ids[row] < 0) return 0;
  return table.scale * table.rows[std::int64_t{table.ids[row]} * dim + channel];
}

/// An element, or 0 where dropout takes it; `scale`d where not.
template <class A>
DIFFUSE_HOST_DEVICE inline A dropped(A value, const RandomPlace& place, RandomStream stream,
                                     std::int64_t row, std::int64_t channel,
                                     std::uint32_t threshold, A scale) {
  return is_kept(place, stream, row, channel, threshold) ? value * scale : A{0};
}

template <class A>
DIFFUSE_HOST_DEVICE inline A initial_element(const InitialState<A>& state, std::int64_t row,
                                             std::int64_t channel) {
  A sum = element_of(state.words, state.dim, row, channel) +
          element_of(state.pairs, state.dim, row, channel);
  if (state.given != nullptr) sum += state.given[row * state.dim + channel];
  if (state.place.words == nullptr) return sum;
  const RandomPlace place = state.place.place();
  if (state.noise_std > 0) sum += state.noise_std * static_cast<A>(normal_at(place, row, channel));
  if (state.threshold == kKeepsAll) return sum;
  return dropped(sum, place, RandomStream::embedding_dropout, row, channel, state.threshold,
                 state.kept_scale);
}

}  // namespace diffuse::rows
