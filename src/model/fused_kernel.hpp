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
  std::vector<RowGradient> row_gradients();

 private:
  void read_parameters(bool with_gradient);
  DiffusionInput input(const Batch& batch, const RandomPlace* dropout);
  PassFigures add_gradients(const DiffusionInput& input, const Batch& batch,
                            const PassOptions& options, const RowGradientSink& rows);
  void add_adversarial_gradients(DiffusionInput input, const Batch& batch,
                                 const PassOptions& options, float* row_gradient);

  const NoisyEmbedding& embedding_;
  const DiffusionStack& stack_;
  const Head& head_;
  WorkerPool pool_;
  FusedDiffusion diffusion_;
  FusedHead fused_head_;
  std::vector<TokenTable> tables_;              // of the batch: tokens, and pairs where there are
  std::vector<std::vector<std::int32_t>> ids_;  // of each table, where they are not the batch's
  std::vector<RowSums> sums_;                   // of each table
  at::Tensor number_rows_;                      // the table of numbers, or undefined
  std::vector<float> row_gradients_;            // [N, D] of the batches since the last sums
  std::int64_t rows_ = 0;                       // N
  bool added_up_ = false;               // the gradients were taken: the next pass begins anew
  std::vector<float> step_;             // [N, D], the adversarial one
  std::vector<std::int64_t> versions_;  // of the parameters as they were read
  std::vector<float> pooled_;
};

}  // namespace diffuse
