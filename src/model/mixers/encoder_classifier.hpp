#pragma once

#include <memory>
#include <string>
#include <vector>

#include "diffuse/model/classifier.hpp"
#include "diffuse/model/head.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/model/noisy_embedding.hpp"
#include "mixer.hpp"

namespace diffuse {

/// A text classifier that differs from the diffusion one in what mixes the tokens alone: its noisy
/// embedding, pooling and head with model.steps blocks of attention or of a state space between
/// them, and a layer norm behind the last.
class EncoderClassifier final : public Classifier {
 public:
  EncoderClassifier(const Config& config, const ModelShape& shape, FreshTensors& tensors);

  at::Tensor forward(const Batch& batch, const ForwardContext& context) override;
  std::vector<NamedParameter> parameters() const override;
  /// Moves every tensor. What parameters() gave before no longer belongs to the model.
  void to(at::Device device) override { convert(at::TensorOptions(device)); }
  /// Converts every tensor to the floating type `dtype`.
  void to_dtype(at::ScalarType dtype) { convert(at::TensorOptions(device()).dtype(dtype)); }
  at::Device device() const override;
  std::int64_t constant_count() const override;
  bool random_at_evaluation() const override { return random_at_evaluation_; }

 private:
  struct Parameter {
    std::string name;
    at::Tensor* tensor;
    ParameterRole role;
  };
  void convert(const at::TensorOptions& options);
  /// [N, D]: sines and cosines of each token's position in its text.
  at::Tensor position_rows(const TextGrid& grid, const at::Tensor& like);

  Pooling pooling_;
  bool random_at_evaluation_;
  double position_scale_;  // 0: no positions
  NoisyEmbedding embedding_;
  std::vector<std::unique_ptr<MixerBlock>> blocks_;
  LayerNorm norm_;
  Head head_;
  std::vector<Parameter> parameters_;
  std::vector<at::Tensor*> constants_;
  at::Tensor position_table_;  // [L, D] of the longest text so far
};

/// Rows 0 … `count` - 1 of the sines' table (Vaswani et al. 2017, section 3.5), [count, dim]:
/// sin(p / 10000^(2 i / dim)) in the first half of the channels, the cosines in the second.
at::Tensor position_table(std::int64_t count, std::int64_t dim);

}  // namespace diffuse
