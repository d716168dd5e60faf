#include "diffuse/train/weight_average.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>

#include <algorithm>
#include <cmath>

#include "diffuse/train/row_adamw.hpp"

namespace diffuse {

double average_decay(double decay, std::int64_t update) {
  const auto t = static_cast<double>(update);
  return std::min(decay, (1 + t) / (10 + t));
}

std::int64_t average_stride(double decay, std::int64_t update) {
  constexpr double kStepsALookBack = 4;
  constexpr double kLongest = 8;
  const double look_back = 1 / (1 - average_decay(decay, update));
  return static_cast<std::int64_t>(std::clamp(look_back / kStepsALookBack, 1.0, kLongest));
}

WeightAverage::WeightAverage(const std::vector<NamedParameter>& parameters, double decay)
    : decay_(decay) {
  for (const NamedParameter& parameter : parameters) {
    weights_.push_back(parameter.tensor.detach());
    averages_.push_back(parameter.tensor.detach().clone());
  }
}

void WeightAverage::update(std::int64_t update) {
  const std::int64_t stride = average_stride(decay_, update);
  if (update % stride != 0) return;
  const at::NoGradGuard no_grad;
  const double kept = std::pow(average_decay(decay_, update), static_cast<double>(stride));
  at::_foreach_lerp_(averages_, weights_, at::Scalar(1 - kept));
}

void WeightAverage::swap() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const at::Tensor kept = weights_[i].clone();
    weights_[i].copy_(averages_[i]);
    averages_[i].copy_(kept);
  }
}

AveragedWeightsScope::AveragedWeightsScope(WeightAverage* average, RowAdamW* rows)
    : average_(average), rows_(rows) {
  if (average_ != nullptr) average_->swap();
  if (rows_ == nullptr) return;
  kept_ = rows_->table().clone();
  rows_->settle_table();
}

AveragedWeightsScope::~AveragedWeightsScope() {
  if (average_ != nullptr) average_->swap();
  if (rows_ != nullptr) rows_->table().copy_(kept_);
}

}  // namespace diffuse
