#pragma once

#include <ATen/core/Tensor.h>

#include "diffuse/ops/dispatched/text_rows.hpp"

namespace diffuse {

/// The adversarial step (ops/adversarial.hpp) by operations of ours: `embeddings` and `gradient`
/// [N, D], both without a gradient of their own. Returns [N, D].
at::Tensor dispatched_adversarial_step(const at::Tensor& embeddings, const at::Tensor& gradient,
                                       const TextRows& texts, double size);

}  // namespace diffuse
