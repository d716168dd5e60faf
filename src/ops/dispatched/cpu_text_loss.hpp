#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

namespace diffuse::cpu {

/// Each text's loss [B], its gradient by the logits [B, C], and whether it is right, int64 [B].
std::tuple<at::Tensor, at::Tensor, at::Tensor> text_losses(
    const at::Tensor& logits, const at::Tensor& labels,
    const std::optional<at::Tensor>& distributions, const std::optional<at::Tensor>& weights,
    bool several, double smoothing);

}  // namespace diffuse::cpu
