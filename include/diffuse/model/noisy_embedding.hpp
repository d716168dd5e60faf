#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/layers.hpp"

namespace diffuse {

/// The initial state h0_i = E[x_i] + B[x_{i-1}, x_i] + eps_i: the row of the token, that of the
/// pair which it ends (ops/bigrams.hpp; none without bigram_buckets), and eps ~ N(0, noise_std² I)
/// in training, and at evaluation where the config says so. In training token dropout first puts
/// the mask token in random tokens' places, in pairs too; bigram dropout then leaves random pairs
/// out and divides the other pairs' rows by 1 - bigram_dropout; and embedding dropout works on the
/// sum, element by element.
class NoisyEmbedding {
 public:
  /// Rows of E from N(0, embedding_init_std²), those of B zero; any, if `generator` is undefined.
  NoisyEmbedding(const ModelConfig& config, std::int64_t vocab_size, std::int32_t mask_id,
                 at::Generator& generator);

  /// `[N, D]` of the batch's tokens.
  at::Tensor forward(const Batch& batch, const ForwardContext& context) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);

  const at::Tensor& weight() const { return weight_; }    ///< [V, D]
  const at::Tensor& bigrams() const { return bigrams_; }  ///< [buckets, D]; undefined: none
  std::int64_t bigram_buckets() const { return bigrams_.defined() ? bigrams_.size(0) : 0; }
  double bigram_dropout() const { return bigram_dropout_; }
  double token_dropout() const { return token_dropout_; }
  std::int32_t mask_id() const { return mask_id_; }
  bool noise_at_evaluation() const { return noise_at_evaluation_; }

 private:
  at::Tensor sum_of_rows(const Batch& batch, const ForwardContext& context) const;

  at::Tensor weight_;   // [V, D]
  at::Tensor bigrams_;  // [buckets, D], or undefined
  double noise_std_;
  bool noise_at_evaluation_;
  double token_dropout_;
  double bigram_dropout_;
  double embedding_dropout_;
  std::int32_t mask_id_;
};

}  // namespace diffuse
