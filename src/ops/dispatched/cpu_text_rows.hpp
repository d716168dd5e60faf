#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <tuple>

namespace diffuse::cpu {

/// The operations of dispatched/text_rows.hpp on the CPU, as the dispatcher calls them: contiguous
/// tensors, weight [K, D] or [K], keep [D] or none (then `keep_value` in its place).
at::Tensor text_of_rows(const at::Tensor& offsets, std::int64_t rows);
at::Tensor neighbour_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
                         const std::optional<at::Tensor>& keep, double keep_value, double share,
                         const at::Tensor& offsets, const at::Tensor& of_row,
                         at::IntArrayRef shifts);
/// Gradients of values, base, weight [K, D], by channel in any case, and keep (empty where there is
/// none).
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> neighbour_mix_backward(
    const at::Tensor& gradient, const at::Tensor& values, const at::Tensor& base,
    const at::Tensor& weight, const std::optional<at::Tensor>& keep, double keep_value,
    double share, const at::Tensor& offsets, const at::Tensor& of_row, at::IntArrayRef shifts);
/// The pooled texts, and of each maximum how many rows have it, int32 [B, D] (empty without).
at::Tensor neighbour_rows(const at::Tensor& values, const at::Tensor& offsets,
                          const at::Tensor& of_row, std::int64_t shift);

std::tuple<at::Tensor, at::Tensor> pool_texts(const at::Tensor& rows, const at::Tensor& offsets,
                                              bool mean, bool most);
at::Tensor pool_texts_backward(const at::Tensor& gradient, const at::Tensor& rows,
                               const at::Tensor& pooled, const at::Tensor& ties,
                               const at::Tensor& offsets, const at::Tensor& of_row, bool mean,
                               bool most);

}  // namespace diffuse::cpu
