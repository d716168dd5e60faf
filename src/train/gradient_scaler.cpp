#include "diffuse/train/gradient_scaler.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

namespace diffuse {

GradientScaler::GradientScaler(at::Device device, const GradientScalerOptions& options)
    : options_(options),
      scale_(at::full({1}, options.initial_scale, at::TensorOptions(device).dtype(at::kFloat))),
      good_updates_(at::zeros({1}, at::TensorOptions(device).dtype(at::kInt))),
      overflow_(at::zeros({1}, at::TensorOptions(device).dtype(at::kFloat))) {}

at::Tensor GradientScaler::scale(const at::Tensor& loss) const {
  return loss.mul(scale_.squeeze());
}

bool GradientScaler::unscale(const std::vector<at::Tensor>& gradients) {
  const at::NoGradGuard no_grad;
  overflow_.zero_();
  // In double, or a small scale's reciprocal would be the one to overflow.
  const at::Tensor inverse = scale_.to(at::kDouble).reciprocal().to(at::kFloat);
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, overflow_, inverse);
  return overflow_.item<float>() == 0;
}

void GradientScaler::update() {
  const at::NoGradGuard no_grad;
  at::_amp_update_scale_(scale_, good_updates_, overflow_, options_.growth, options_.backoff,
                         options_.growth_interval);
}

double GradientScaler::current() const { return scale_.item<float>(); }

std::vector<std::pair<std::string, at::Tensor>> GradientScaler::state() const {
  return {{"scaler.scale", scale_}, {"scaler.good_updates", good_updates_}};
}

}  // namespace diffuse
