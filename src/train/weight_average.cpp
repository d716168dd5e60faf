#include "diffuse/train/weight_average.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>

#include <algorithm>

namespace diffuse {

double average_decay(double decay, std::int64_t update) {
  const auto t = static_cast<double>(update);
  return std::min(decay, (1 + t) / (10 + t));
}

WeightAverage::WeightAverage(const std::vector<NamedParameter>& parameters, double decay)
    : decay_(decay) {
  for (const NamedParameter& parameter : parameters) {
    weights_.push_back(parameter.tensor.detach());
    averages_.push_back(parameter.tensor.detach().clone());
  }
}

void WeightAverage::update(std::int64_t update) {
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(averages_, weights_, at::Scalar(1 - average_decay(decay_, update)));
}

void WeightAverage::swap() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const at::Tensor kept = weights_[i].clone();
    weights_[i].copy_(averages_[i]);
    averages_[i].copy_(kept);
  }
}

}  // namespace diffuse
