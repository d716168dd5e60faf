#include "diffuse/model/noisy_embedding.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/masked_fill.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/reference/bigrams.hpp"

namespace diffuse {

namespace {

/// C: of each number its place in -1 … 1 and a 1, of a hidden one the last column's 1.
at::Tensor number_coefficients() {
  constexpr std::int64_t kNumbers = 256;
  constexpr double kMiddle = 127.5;
  const at::Tensor c = at::zeros({kNumbers + 1, 3}, at::kFloat);
  c.narrow(0, 0, kNumbers)
      .select(1, 0)
      .copy_(at::arange(kNumbers, at::kFloat).sub(kMiddle).div(kMiddle));
  c.narrow(0, 0, kNumbers).select(1, 1).fill_(1.0);
  c[kNumbers][2] = 1.0;
  return c;
}

}  // namespace

at::Tensor NoisyEmbedding::weight() const {
  if (!of_numbers()) return weight_;
  // C V, but not by a product, which autocast would round to half precision: tables are float32.
  return at::mul(coefficients_.unsqueeze(2), values_.unsqueeze(0)).sum(1);
}

/// E = C V: the gradient of V is the sum of the rows' gradients, each times its number's row of C.
void NoisyEmbedding::add_number_gradients(std::span<const std::int32_t> ids,
                                          const float* rows) const {
  const at::NoGradGuard no_gradient;
  const std::int64_t tokens = std::ssize(ids);
  const at::Tensor gradients =
      at::from_blob(const_cast<float*>(rows), {tokens, values_.size(1)}, at::kFloat);
  const at::Tensor numbers =
      at::from_blob(const_cast<std::int32_t*>(ids.data()), {tokens}, at::kInt);
  const at::Tensor shares = at::index_select(coefficients_, 0, numbers);  // [N, 3]
  at::Tensor& grad = const_cast<at::Tensor&>(values_).mutable_grad();
  if (!grad.defined()) grad = at::zeros_like(values_);
  grad.add_(at::matmul(shares.t(), gradients));
}

NoisyEmbedding::NoisyEmbedding(const ModelConfig& config, std::int64_t vocab_size,
                               std::int32_t mask_id, FreshTensors& tensors, bool numbers)
    : noise_std_(config.noise_std),
      noise_at_evaluation_(config.noise_at_evaluation),
      token_dropout_(config.token_dropout),
      token_dropout_span_(config.token_dropout_span),
      bigram_dropout_(config.bigram_dropout),
      embedding_dropout_(config.embedding_dropout),
      mask_id_(mask_id) {
  if (numbers) {
    values_ = tensors.normal({3, config.dim}, config.embedding_init_std);
    coefficients_ = number_coefficients().to(tensors.device());
    return;  // which have no pairs
  }
  weight_ = tensors.normal({vocab_size, config.dim}, config.embedding_init_std);
  if (config.bigram_buckets == 0) return;
  bigrams_ = tensors.unset({config.bigram_buckets, config.dim});
  if (tensors.draws()) bigrams_.zero_();
}

at::Tensor NoisyEmbedding::sum_of_rows(const Batch& batch, const ForwardContext& context) const {
  at::Tensor ids = batch.tokens;
  if (context.training && token_dropout_ > 0.0) {
    const at::Tensor starts =
        random_mask(ids.sizes(), span_start_probability(token_dropout_, token_dropout_span_),
                    ids.device(), context.generator);
    at::Tensor dropped = starts.clone();
    for (std::int64_t k = 1; k < std::min(token_dropout_span_, ids.size(0)); ++k)
      dropped.slice(0, k).logical_or_(starts.slice(0, 0, ids.size(0) - k));
    ids = at::masked_fill(ids, dropped, mask_id_);
  }
  at::Tensor sum = at::embedding(weight(), ids);
  if (!bigrams_.defined()) return sum;
  const at::Tensor pairs =
      at::embedding(bigrams_, reference_bigram_rows(ids, batch.offsets, bigram_buckets()));
  if (!context.training || bigram_dropout_ == 0.0) return at::add(sum, pairs);
  const at::Tensor kept =
      random_mask({ids.size(0), 1}, 1.0 - bigram_dropout_, ids.device(), context.generator);
  return at::add(sum,
                 at::mul(pairs, kept.to(pairs.scalar_type()).mul_(1.0 / (1.0 - bigram_dropout_))));
}

at::Tensor NoisyEmbedding::forward(const Batch& batch, const ForwardContext& context) const {
  at::Tensor state = sum_of_rows(batch, context);
  if (context.embeddings != nullptr) {
    if (state.requires_grad()) state.retain_grad();
    context.embeddings->sum = state;
    if (context.embeddings->step.defined()) state = at::add(state, context.embeddings->step);
  }
  const bool wanted = context.embeddings == nullptr || context.embeddings->noise;
  if (wanted && noise_std_ > 0.0 && (context.training || noise_at_evaluation_)) {
    if (!context.generator.defined()) {
      throw Error("The model adds noise here, but ForwardContext has no generator.");
    }
    state = at::add(state, at::empty_like(state, state.options().requires_grad(false))
                               .normal_(0.0, noise_std_, context.generator));
  }
  return dropout(state, embedding_dropout_, context);
}

void NoisyEmbedding::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  if (of_numbers()) return visitor(prefix + ".values", values_, ParameterRole::matrix);
  visitor(prefix + ".weight", weight_, ParameterRole::embedding);
  if (bigrams_.defined()) visitor(prefix + ".bigrams", bigrams_, ParameterRole::embedding);
}

void NoisyEmbedding::visit_constants(const ParameterVisitor& visitor) {
  if (coefficients_.defined()) visitor("", coefficients_, ParameterRole::matrix);
}

}  // namespace diffuse
