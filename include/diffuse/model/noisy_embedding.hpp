#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/layers.hpp"

namespace diffuse {

/// The initial state h0_i = E[x_i] + eps_i, eps ~ N(0, noise_std² I): in training, and at
/// evaluation where the config says so. In training token dropout first puts the mask token in
/// random tokens' places, and embedding dropout works on the sum, element by element.
class NoisyEmbedding {
 public:
  /// Rows of E from N(0, embedding_init_std²); any, if `generator` is undefined.
  NoisyEmbedding(const ModelConfig& config, std::int64_t vocab_size, std::int32_t mask_id,
                 at::Generator& generator);

  /// `tokens` int32 `[N]` to `[N, D]`.
  at::Tensor forward(const at::Tensor& tokens, const ForwardContext& context) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);

  const at::Tensor& weight() const { return weight_; }  ///< [V, D]
  double token_dropout() const { return token_dropout_; }
  std::int32_t mask_id() const { return mask_id_; }
  bool noise_at_evaluation() const { return noise_at_evaluation_; }

 private:
  at::Tensor weight_;  // [V, D]
  double noise_std_;
  bool noise_at_evaluation_;
  double token_dropout_;
  double embedding_dropout_;
  std::int32_t mask_id_;
};

}  // namespace diffuse
