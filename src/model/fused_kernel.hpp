#pragma once

#include <cstdint>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/head.hpp"
#include "diffuse/model/noisy_embedding.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/fused_head.hpp"
#include "diffuse/ops/row_sums.hpp"

namespace diffuse {

/// A diffusion classifier on the fused CPU operator: reads the parameters' float32 memory, writes
/// their gradients. The parts must stay where they are.
class FusedKernel {
 public:
  /// `precision`: fp32, or bf16 for the products of the steps; the head stays in float32.
  FusedKernel(const NoisyEmbedding& embedding, const DiffusionStack& stack, const Head& head,
              Precision precision);

  /// Logits, float32 [B, C], without gradient.
  at::Tensor forward(const Batch& batch, const ForwardContext& context);
  /// As Classifier::train_pass.
  PassFigures train(const Batch& batch, const ForwardContext& context, const PassOptions& options);
  RowGradient row_gradient();

 private:
  void read_parameters(bool with_gradient);
  DiffusionInput input(const Batch& batch);
  const std::int32_t* dropped_tokens(const Batch& batch, const RandomPlace& place);

  const NoisyEmbedding& embedding_;
  const DiffusionStack& stack_;
  const Head& head_;
  WorkerPool pool_;
  FusedDiffusion diffusion_;
  FusedHead fused_head_;
  RowSums sums_;
  TokenTable table_{};
  std::vector<std::int64_t> versions_;  // of the parameters as they were read
  std::vector<std::int32_t> ids_;       // with token dropout
  bool added_up_ = false;               // the gradient was taken: the next pass begins another
  std::vector<float> pooled_;
};

}  // namespace diffuse
