#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/head.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/model/noisy_embedding.hpp"

namespace diffuse {

class FusedKernel;
class RecordedForward;

/// The attention-free diffusion classifier: noisy embedding, diffusion steps, pooling, head.
/// Sequences are packed, so nothing is padded and no sequence sees another.
class DiffusionClassifier final : public Classifier {
 public:
  /// float32 on the CPU, initialised from `seed` alone; without one with any values, for weights
  /// that will be loaded. Throws ConfigError where the model part of a config is impossible, Error
  /// where the shape is.
  DiffusionClassifier(const ModelConfig& config, const ModelShape& shape,
                      std::optional<std::int64_t> seed);
  /// Of `tensors`.
  DiffusionClassifier(const ModelConfig& config, const ModelShape& shape, FreshTensors& tensors);
  ~DiffusionClassifier() override;
  // Not movable: parameters_ points into the object.
  DiffusionClassifier(const DiffusionClassifier&) = delete;
  DiffusionClassifier& operator=(const DiffusionClassifier&) = delete;

  /// Logits `[B, C]`: float32, but float64 where the parameters are. Throws Error on a batch whose
  /// offsets do not cut its tokens into non-empty sequences.
  at::Tensor forward(const Batch& batch, const ForwardContext& context) override;
  std::vector<NamedParameter> parameters() const override;
  /// Moves every tensor. What parameters() gave before no longer belongs to the model.
  void to(at::Device device) override;
  /// Converts every tensor to the floating type `dtype`, as `to` moves them.
  void to_dtype(at::ScalarType dtype);
  at::Device device() const override;
  /// On the CPU, with at most 32,768 elements of a state (LibTorch divides none smaller) and four
  /// million products of the steps' matrices: agnews-diffusion.json up to 512 tokens.
  bool is_small(const Batch& batch) const override;
  std::int64_t work_per_token() const override;
  bool random_at_evaluation() const override { return random_at_evaluation_; }
  void use_kernel(Kernel kernel, Precision precision) override;
  Kernel kernel() const override { return kernel_; }
  bool is_recordable() const override { return kernel_ == Kernel::operations; }
  std::optional<PassFigures> train_pass(const Batch& batch, const ForwardContext& context,
                                        const PassOptions& options) override;
  std::vector<RowGradient> row_gradients() override;
  std::vector<std::vector<std::int32_t>> embedding_rows(const Batch& batch) const override;
  std::int64_t constant_count() const override;

 private:
  struct Parameter {
    std::string name;
    at::Tensor* tensor;
    ParameterRole role;
  };

  DiffusionClassifier(const ModelConfig& config, const ModelShape& shape, FreshTensors&& tensors);
  void convert(const at::TensorOptions& options);
  at::Tensor reference_logits(const Batch& batch, const ForwardContext& context) const;

  std::int64_t dim_;
  std::int64_t products_per_token_;  // of all steps' matrices
  std::int64_t moves_per_token_;     // elements that all steps read, shift and add
  Pooling pooling_;
  bool random_at_evaluation_;
  NoisyEmbedding embedding_;
  DiffusionStack stack_;
  Head head_;
  std::vector<Parameter> parameters_;
  Kernel kernel_ = Kernel::reference;
  std::unique_ptr<FusedKernel> fused_;         // null: another kernel
  std::unique_ptr<RecordedForward> recorded_;  // of answers, with operations
  Precision kernel_precision_ = Precision::fp32;
};

}  // namespace diffuse
