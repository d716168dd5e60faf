#include "diffuse/model/head.hpp"

#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {

Head::Head(const ModelConfig& config, std::int64_t in, std::int64_t classes, FreshTensors& tensors)
    : dropout_(config.head_dropout), has_hidden_(config.head_hidden_dim != 0) {
  if (has_hidden_) {
    const std::int64_t hidden = config.head_hidden_dim > 0 ? config.head_hidden_dim : config.dim;
    in_ = Linear(in, hidden, tensors);
    in = hidden;
  }
  out_ = Linear(in, classes, tensors);
}

at::Tensor Head::forward(const at::Tensor& pooled, const ForwardContext& context) const {
  return forward(pooled,
                 [&](const at::Tensor& x, RandomStream) { return dropout(x, dropout_, context); });
}

at::Tensor Head::forward(const at::Tensor& pooled, const Dropout& dropped) const {
  at::Tensor x = dropped(pooled, RandomStream::head_input_dropout);
  if (has_hidden_)
    x = dropped(activate(in_.forward(x), Activation::gelu), RandomStream::head_hidden_dropout);
  return out_.forward(x);
}

void Head::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  if (has_hidden_) in_.visit(prefix + ".in", visitor);
  out_.visit(prefix + ".out", visitor);
}

}  // namespace diffuse
