#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/layers.hpp"
#include "diffuse/model/masked_words.hpp"
#include "diffuse/model/noisy_embedding.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/fused_head.hpp"
#include "diffuse/ops/row_sums.hpp"

namespace diffuse {

/// A masked word model on the fused CPU operator. The parts must stay where they are. The head's
/// classes are a batch's candidates, its weights their rows of the embedding.
class MaskedWordKernel {
 public:
  MaskedWordKernel(const NoisyEmbedding& embedding, const DiffusionStack& stack,
                   const Linear& prediction, Precision precision);

  /// Forward and backward of a batch: the loss summed over its hidden words, and how many were
  /// found. `weight`: of each one's loss in the gradients.
  HeadFigures train(const Batch& batch, const MaskedWords& hidden, const RandomPlace& place,
                    float weight, const PassOptions& options);
  /// As Classifier::row_gradients.
  RowGradient row_gradient();

 private:
  using Exchange = FusedDiffusion::Exchange;

  void read_parameters(const MaskedWords& hidden);
  void note_rows(std::span<const std::int32_t> ids, const PassOptions& options);
  void predict(const Exchange& exchange, const MaskedWords& hidden,
               std::span<const std::int32_t> offsets);

  const NoisyEmbedding& embedding_;
  const DiffusionStack& stack_;
  const Linear& prediction_;
  WorkerPool pool_;
  FusedDiffusion diffusion_;
  FusedHead head_;
  RowSums sums_;
  std::vector<float> candidates_;                   // [C, D] their rows
  std::vector<float> row_gradients_;                // of the batches since the last sums
  std::int64_t rows_ = 0;                           // there
  bool added_up_ = false;                           // they were taken: the next pass begins anew
  std::vector<std::vector<std::int64_t>> numbers_;  // of each worker's hidden words
  std::vector<std::vector<float>> states_;          // and their rows, then these rows' gradients
};

}  // namespace diffuse
