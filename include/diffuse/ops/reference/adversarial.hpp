#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace diffuse {

/// adversarial_step of ops/adversarial.hpp in tensor operations: `embeddings` and the `gradient` of
/// the loss with regard to them `[N, D]`, the rows of a packed batch; `offsets` [B + 1], its texts.
at::Tensor reference_adversarial_step(const at::Tensor& embeddings, const at::Tensor& gradient,
                                      std::span<const std::int32_t> offsets, double size);

}  // namespace diffuse
