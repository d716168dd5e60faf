#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "diffuse/ops/counter_random.hpp"
#include "diffuse/ops/dispatched/text_rows.hpp"

namespace diffuse {

/// The initial state of the diffusion and its dropout as operations that LibTorch's dispatcher
/// knows (text_rows.hpp says what they have in common). Random numbers are those of
/// ops/counter_random.hpp, so a device draws what the CPU's fused kernel draws.

/// `place` in the memory of the device of `like`, int64 [2]. Nothing is copied: the device is told.
at::Tensor random_place(const RandomPlace& place, const at::Tensor& like);

/// Dropout of tokens or of pairs as drop_ids (fused_diffusion.hpp) does it: `ids` int32 [N] with
/// `other` in random places.
at::Tensor dropped_ids(const at::Tensor& ids, const at::Tensor& place, RandomStream stream,
                       double probability, std::int64_t span, std::int32_t other);

/// The rows of the pairs of `tokens` int32 [N] in a table of `buckets` rows (ops/bigrams.hpp).
at::Tensor pair_ids(const at::Tensor& tokens, const TextRows& texts, std::int64_t buckets);

/// What the initial state is made of; undefined where there is none of it. float32 or float64.
struct InitialState {
  at::Tensor words{};     ///< [V, D]
  at::Tensor word_ids{};  ///< int32 [N]; negative: none
  at::Tensor pairs{};     ///< [buckets, D]
  at::Tensor pair_ids{};  ///< int32 [N]; negative: none
  double pair_scale = 1;
  at::Tensor given{};  ///< [N, D]
  at::Tensor place{};  ///< random_place; undefined: neither noise nor dropout
  double noise_std = 0;
  double dropout = 0;
};

/// dropout(words[word_ids] + pair_scale · pairs[pair_ids] + given + eps), [N, D]. The gradients of
/// the tables are dense; the rows of an id are added up in their order.
/// Throws Error where tables, ids and what is given do not fit.
at::Tensor initial_state(const InitialState& parts);

/// Dropout of the elements of `x` [rows, channels], of any floating type.
at::Tensor dropped_elements(const at::Tensor& x, const at::Tensor& place, RandomStream stream,
                            double probability);

}  // namespace diffuse
