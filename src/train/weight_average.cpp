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
  if (rows_ != nullptr) is_settled_.resize(static_cast<std::size_t>(rows_->table().size(0)));
}

AveragedWeightsScope::~AveragedWeightsScope() {
  if (average_ != nullptr) average_->swap();
  put_rows_back();
}

void AveragedWeightsScope::settle(std::span<const std::int32_t> tokens) {
  if (rows_ == nullptr) return;
  // The rows that most texts have stay from batch to batch.
  constexpr std::size_t kMostKept = 8;  // of so many rows, one; and those of a batch
  if (settled_.size() > is_settled_.size() / kMostKept) put_rows_back();
  const std::int64_t dim = rows_->table().size(1);
  float* const table = rows_->table().mutable_data_ptr<float>();
  for (const std::int32_t id : tokens) {
    if (is_settled_[static_cast<std::size_t>(id)]) continue;
    is_settled_[static_cast<std::size_t>(id)] = true;
    settled_.push_back(id);
    float* const row = table + id * dim;
    kept_.insert(kept_.end(), row, row + dim);
    rows_->settle(id, id + 1, row);
  }
}

void AveragedWeightsScope::put_rows_back() {
  if (rows_ == nullptr) return;
  const std::int64_t dim = rows_->table().size(1);
  float* const table = rows_->table().mutable_data_ptr<float>();
  const float* kept = kept_.data();
  for (const std::int32_t id : settled_) {
    std::copy(kept, kept + dim, table + id * dim);
    kept += dim;
    is_settled_[static_cast<std::size_t>(id)] = false;
  }
  settled_.clear();
  kept_.clear();
}

}  // namespace diffuse
