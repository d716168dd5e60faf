#include "diffuse/ops/reference/adversarial.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>

#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse {

at::Tensor reference_adversarial_step(const at::Tensor& embeddings, const at::Tensor& gradient,
                                      std::span<const std::int32_t> offsets, double size) {
  const at::NoGradGuard no_grad;
  const Segments segments(offsets, embeddings.options());
  const auto norms = [&](const at::Tensor& rows) {
    return segment_sum(rows.square().sum(1, true), segments).sqrt();
  };
  constexpr double kSmallest = 1e-20;  // a gradient of zero leaves a step of zero
  const at::Tensor factors =
      norms(embeddings.detach()).mul(size).div(norms(gradient).clamp_min(kSmallest));
  return gradient.mul(at::index_select(factors, 0, segments.ids));
}

}  // namespace diffuse
