#include "attention_block.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/layer_norm.h>

#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {

LayerNorm::LayerNorm(std::int64_t dim, const FreshTensors& tensors)
    : weight(tensors.full({dim}, 1.0)), bias(tensors.full({dim}, 0.0)) {}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, /*eps=*/1e-5);
}

void LayerNorm::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".weight", weight, ParameterRole::vector);
  visitor(prefix + ".bias", bias, ParameterRole::vector);
}

std::int64_t hidden_dim(const Config& config) {
  return config.mixer.hidden_dim > 0 ? config.mixer.hidden_dim : 4 * config.model.dim;
}

AttentionBlock::AttentionBlock(const Config& config, std::unique_ptr<Attention> attention,
                               FreshTensors& tensors)
    : heads_(config.mixer.heads),
      dropout_(config.mixer.dropout),
      attention_norm_(config.model.dim, tensors),
      qkv_(config.model.dim, 3 * config.model.dim, tensors),
      out_(config.model.dim, config.model.dim, tensors),
      attention_(std::move(attention)),
      hidden_norm_(config.model.dim, tensors),
      hidden_in_(config.model.dim, hidden_dim(config), tensors),
      hidden_out_(hidden_dim(config), config.model.dim, tensors) {}

at::Tensor AttentionBlock::forward(const at::Tensor& x, const TextGrid& grid,
                                   const ForwardContext& context) const {
  const std::int64_t dim = x.size(1);
  const std::vector<at::Tensor> qkv =
      qkv_.forward(attention_norm_.forward(x)).view({x.size(0), 3, heads_, dim / heads_}).unbind(1);
  const at::Tensor seen = attention_->attend(qkv[0], qkv[1], qkv[2], grid);
  const at::Tensor mixed =
      at::add(x, dropout(out_.forward(seen.reshape({x.size(0), dim})), dropout_, context));
  const at::Tensor hidden =
      activate(hidden_in_.forward(hidden_norm_.forward(mixed)), Activation::gelu);
  return at::add(mixed, dropout(hidden_out_.forward(hidden), dropout_, context));
}

void AttentionBlock::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  attention_norm_.visit(prefix + ".attention.norm", visitor);
  qkv_.visit(prefix + ".attention.qkv", visitor);
  out_.visit(prefix + ".attention.out", visitor);
  attention_->visit(prefix + ".attention", visitor);
  hidden_norm_.visit(prefix + ".hidden.norm", visitor);
  hidden_in_.visit(prefix + ".hidden.in", visitor);
  hidden_out_.visit(prefix + ".hidden.out", visitor);
}

void AttentionBlock::visit_constants(const ParameterVisitor& visitor) {
  attention_->visit_constants(visitor);
}

}  // namespace diffuse
