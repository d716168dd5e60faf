#pragma once

#include <cstdint>

#include "diffuse/ops/bigrams.hpp"
#include "ops/rows/host_device.hpp"
#include "ops/rows/random.hpp"
#include "ops/rows/text_of_row.hpp"

namespace diffuse::rows {

/// The token of `row` after dropout of tokens or of pairs, which puts `other` in the place of
/// `span` of them from each row on that `threshold` does not keep.
DIFFUSE_HOST_DEVICE inline std::int32_t kept_id(const std::int32_t* ids, const RandomPlace& place,
                                                RandomStream stream, std::int64_t row,
                                                std::uint32_t threshold, std::int64_t span,
                                                std::int32_t other) {
  for (std::int64_t start = row < span ? 0 : row - span + 1; start <= row; ++start)
    if (!is_kept(place, stream, start, 0, threshold)) return other;
  return ids[row];
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

/// Channels that a thread computes together, because one block of random bits serves them all.
inline constexpr std::int64_t kOctet = 8;

DIFFUSE_HOST_DEVICE constexpr std::int64_t octets(std::int64_t dim) {
  return (dim + kOctet - 1) / kOctet;
}

/// Channels `first` … `first` + 7 of a row of h0, as far as there are so many, to `to`.
template <class A>
DIFFUSE_HOST_DEVICE inline void initial_octet(const InitialState<A>& state, std::int64_t row,
                                              std::int64_t first, A* to) {
  const bool random = state.place.words != nullptr;
  const RandomPlace place = random ? state.place.place() : RandomPlace{};
  const bool noise = random && state.noise_std > 0;
  const bool drops = random && state.threshold < kKeepsAll;
  PhiloxBlock bits{};
  if (drops) bits = block_at(place, RandomStream::embedding_dropout, row, first / 8);
#ifdef __CUDACC__
#pragma unroll
#endif
  for (int half = 0; half < 2; ++half) {
    PhiloxBlock normals{};
    if (noise) normals = block_at(place, RandomStream::noise, row, first / 4 + half);
#ifdef __CUDACC__
#pragma unroll
#endif
    for (int k = 0; k < 4; ++k) {
      const int c = 4 * half + k;
      const std::int64_t channel = first + c;
      if (channel >= state.dim) continue;
      A sum = element_of(state.words, state.dim, row, channel) +
              element_of(state.pairs, state.dim, row, channel);
      if (state.given != nullptr) sum += state.given[row * state.dim + channel];
      if (noise) sum += state.noise_std * static_cast<A>(normal_of(normals, k));
      if (drops) sum = half_of(bits, c) < state.threshold ? sum * state.kept_scale : A{0};
      to[c] = sum;
    }
  }
}

/// Dropout of channels `first` … `first` + 7 of a row of `x` [rows, dim]: 0, or `scale`d, of which
/// only the product is rounded to T.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline void dropped_octet(const T* x, std::int64_t dim,
                                              const RandomPlace& place, RandomStream stream,
                                              std::uint32_t threshold, A scale, std::int64_t row,
                                              std::int64_t first, T* to) {
  const PhiloxBlock bits = block_at(place, stream, row, first / 8);
#ifdef __CUDACC__
#pragma unroll
#endif
  for (int c = 0; c < 8; ++c)
    if (first + c < dim)
      to[c] = half_of(bits, c) < threshold
                  ? static_cast<T>(static_cast<A>(x[row * dim + first + c]) * scale)
                  : T{0};
}

}  // namespace diffuse::rows
