#include "diffuse/model/noisy_embedding.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/masked_fill.h>

#include "diffuse/base/error.hpp"

namespace diffuse {

NoisyEmbedding::NoisyEmbedding(const ModelConfig& config, std::int64_t vocab_size,
                               std::int32_t mask_id, at::Generator& generator)
    : weight_(at::empty({vocab_size, config.dim}, at::kFloat)),
      noise_std_(config.noise_std),
      noise_at_evaluation_(config.noise_at_evaluation),
      token_dropout_(config.token_dropout),
      embedding_dropout_(config.embedding_dropout),
      mask_id_(mask_id) {
  if (generator.defined()) weight_.normal_(0.0, config.embedding_init_std, generator);
}

at::Tensor NoisyEmbedding::forward(const at::Tensor& tokens, const ForwardContext& context) const {
  at::Tensor ids = tokens;
  if (context.training && token_dropout_ > 0.0) {
    const at::Tensor dropped =
        random_mask(ids.sizes(), token_dropout_, ids.device(), context.generator);
    ids = at::masked_fill(ids, dropped, mask_id_);
  }
  at::Tensor state = at::embedding(weight_, ids);
  if (noise_std_ > 0.0 && (context.training || noise_at_evaluation_)) {
    if (!context.generator.defined()) {
      throw Error("The model adds noise here, but ForwardContext has no generator.");
    }
    state = at::add(state, at::empty_like(state, state.options().requires_grad(false))
                               .normal_(0.0, noise_std_, context.generator));
  }
  return dropout(state, embedding_dropout_, context);
}

void NoisyEmbedding::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".weight", weight_, ParameterRole::embedding);
}

}  // namespace diffuse
