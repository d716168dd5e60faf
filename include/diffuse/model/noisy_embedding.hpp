#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
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
///
/// Of numbers the rows of E are no parameters of their own but E = C V: number v has the row
/// (v - 127.5) / 127.5 · V_0 + V_1, a hidden number V_2.
class NoisyEmbedding {
 public:
  /// Rows of E from N(0, embedding_init_std²), those of B zero; any where `tensors` draws none.
  NoisyEmbedding(const ModelConfig& config, std::int64_t vocab_size, std::int32_t mask_id,
                 FreshTensors& tensors, bool numbers = false);

  /// `[N, D]` of the batch's tokens.
  at::Tensor forward(const Batch& batch, const ForwardContext& context) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
  /// C, which is not trained but moves with the model.
  void visit_constants(const ParameterVisitor& visitor);

  /// E, [V, D]; of numbers made anew of V, and their gradient is that of V.
  at::Tensor weight() const;
  /// Of numbers: adds to the gradient of V the `rows` `[N, D]`, gradients of the rows E_x that the
  /// tokens `ids` `[N]` have taken. float32, on the CPU.
  void add_number_gradients(std::span<const std::int32_t> ids, const float* rows) const;
  bool of_numbers() const { return values_.defined(); }
  const at::Tensor& values() const { return values_; }              ///< V, [3, D]; or undefined
  const at::Tensor& coefficients() const { return coefficients_; }  ///< C, [257, 3]; or undefined
  const at::Tensor& bigrams() const { return bigrams_; }  ///< [buckets, D]; undefined: none
  std::int64_t bigram_buckets() const { return bigrams_.defined() ? bigrams_.size(0) : 0; }
  double bigram_dropout() const { return bigram_dropout_; }
  double token_dropout() const { return token_dropout_; }
  std::int64_t token_dropout_span() const { return token_dropout_span_; }
  std::int32_t mask_id() const { return mask_id_; }
  bool noise_at_evaluation() const { return noise_at_evaluation_; }

 private:
  at::Tensor sum_of_rows(const Batch& batch, const ForwardContext& context) const;

  at::Tensor weight_;        // [V, D]; undefined: of numbers
  at::Tensor values_;        // [3, D], or undefined
  at::Tensor coefficients_;  // [257, 3], or undefined
  at::Tensor bigrams_;       // [buckets, D], or undefined
  double noise_std_;
  bool noise_at_evaluation_;
  double token_dropout_;
  std::int64_t token_dropout_span_;
  double bigram_dropout_;
  double embedding_dropout_;
  std::int32_t mask_id_;
};

}  // namespace diffuse
