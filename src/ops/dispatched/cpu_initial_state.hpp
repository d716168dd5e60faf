#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace diffuse::cpu {

/// The operations of diffuse/ops/dispatched/initial_state.hpp on the CPU, without gradients.

at::Tensor random_place(const at::Tensor& like, std::int64_t seed, std::int64_t rest);

at::Tensor dropped_ids(const at::Tensor& ids, const at::Tensor& place, std::int64_t stream,
                       double probability, std::int64_t span, std::int64_t other);

at::Tensor pair_ids(const at::Tensor& tokens, const at::Tensor& offsets, const at::Tensor& of_row,
                    std::int64_t buckets);

at::Tensor initial_state(const std::optional<at::Tensor>& words,
                         const std::optional<at::Tensor>& word_ids,
                         const std::optional<at::Tensor>& pairs,
                         const std::optional<at::Tensor>& pair_ids, double pair_scale,
                         const std::optional<at::Tensor>& given,
                         const std::optional<at::Tensor>& place, double noise_std, double dropout);

at::Tensor dropped_elements(const at::Tensor& x, const at::Tensor& place, std::int64_t stream,
                            double probability);

/// [count, D], for each id the sum of the rows of `from` that have it, times `scale`; `ids`
/// ascending, `order` the row of each.
at::Tensor sum_rows(const at::Tensor& from, const at::Tensor& ids, const at::Tensor& order,
                    std::int64_t count, double scale);

}  // namespace diffuse::cpu
