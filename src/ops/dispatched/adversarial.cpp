#include "diffuse/ops/dispatched/adversarial.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>

namespace diffuse {

at::Tensor dispatched_adversarial_step(const at::Tensor& embeddings, const at::Tensor& gradient,
                                       const TextRows& texts, double size) {
  const at::NoGradGuard no_grad;
  // Of a mean in place of a sum the quotient is the same.
  const auto norms = [&](const at::Tensor& rows) {
    return pool_texts(rows.square().sum(1, true), texts, Pooling::mean).sqrt();
  };
  constexpr double kSmallest = 1e-20;  // a gradient of zero leaves a step of zero
  const at::Tensor factors = norms(embeddings).mul(size).div(norms(gradient).clamp_min(kSmallest));
  return gradient.mul(at::index_select(factors, 0, texts.of_row));
}

}  // namespace diffuse
