#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/layers.hpp"
#include "diffuse/model/masked_words.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/model/noisy_embedding.hpp"

namespace diffuse {

class MaskedWordKernel;

/// What learns from texts alone, as the trainer sees it: embedding and diffusion steps of a
/// diffusion classifier, and on the rows h_i of hidden words
///
///   p(word | text) = softmax over candidates c of  E_c · gelu(L h_i) + bias_c
///
/// E is the embedding itself.
/// A training pass hides words of its batch by the context's place; its loss is the mean over the
/// hidden words for each text, `correct` the texts' number times the share of hidden words found.
/// Pairs of words, token dropout and the head are not part of it.
class MaskedWordModel final : public Classifier {
 public:
  /// float32 on the CPU, initialised from `seed` alone; without one with any values. `counts` as
  /// for WordMasker.
  MaskedWordModel(const ModelConfig& config, const PretrainConfig& pretrain,
                  const ModelShape& shape, std::span<const std::int64_t> counts,
                  std::optional<std::int64_t> seed);
  ~MaskedWordModel() override;
  MaskedWordModel(const MaskedWordModel&) = delete;
  MaskedWordModel& operator=(const MaskedWordModel&) = delete;

  /// Throws Error: there are no classes.
  at::Tensor forward(const Batch& batch, const ForwardContext& context) override;
  /// Names as in a diffusion classifier, and `prediction.weight`, `prediction.bias` for L.
  std::vector<NamedParameter> parameters() const override;
  void to(at::Device device) override;
  at::Device device() const override;
  void use_kernel(Kernel kernel, Precision precision) override;
  Kernel kernel() const override { return kernel_; }
  /// Without the fused kernel by autograd: the gradients of all parameters are then theirs.
  std::optional<PassFigures> train_pass(const Batch& batch, const ForwardContext& context,
                                        const PassOptions& options) override;
  std::vector<RowGradient> row_gradients() override;

 private:
  struct Parameter {
    std::string name;
    at::Tensor* tensor;
    ParameterRole role;
  };
  MaskedWordModel(const ModelConfig& config, const PretrainConfig& pretrain,
                  const ModelShape& shape, std::span<const std::int64_t> counts,
                  FreshTensors tensors);
  struct Found {
    at::Tensor loss;     // mean of the hidden words
    at::Tensor correct;  // of them
  };
  Found pass_by_autograd(const Batch& batch, const ForwardContext& context, double share);

  NoisyEmbedding embedding_;
  DiffusionStack stack_;
  Linear prediction_;
  WordMasker masker_;
  MaskedWords hidden_;  // of the present batch
  std::vector<Parameter> parameters_;
  Precision precision_ = Precision::fp32;
  Kernel kernel_ = Kernel::reference;
  std::unique_ptr<MaskedWordKernel> fused_;  // null: another kernel
};

}  // namespace diffuse
