#pragma once

#include <ATen/core/Tensor.h>

#include "diffuse/model/classifier.hpp"
#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/head.hpp"
#include "diffuse/model/noisy_embedding.hpp"
#include "diffuse/ops/dispatched/text_rows.hpp"

namespace diffuse {

/// The diffusion classifier by operations of ours (ops/dispatched), which autograd goes through:
/// the numbers that it draws in training are those of the fused kernel, and nothing of a batch but
/// the batch itself is copied to its device.
class DispatchedKernel {
 public:
  /// Both must outlive the object.
  DispatchedKernel(const NoisyEmbedding& embedding, const DiffusionStack& stack)
      : embedding_(embedding), stack_(stack) {}

  /// The last state of the batch's rows, [N, D].
  at::Tensor states(const Batch& batch, const ForwardContext& context) const;
  /// Logits [B, C].
  at::Tensor logits(const Batch& batch, const ForwardContext& context, const Head& head) const;

 private:
  at::Tensor initial(const Batch& batch, const TextRows& texts,
                     const ForwardContext& context) const;
  at::Tensor states(const Batch& batch, const TextRows& texts, const ForwardContext& context) const;

  const NoisyEmbedding& embedding_;
  const DiffusionStack& stack_;
};

}  // namespace diffuse
