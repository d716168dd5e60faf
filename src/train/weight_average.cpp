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

bool WeightAverage::is_due(std::int64_t update) const {
  return update % average_stride(decay_, update) == 0;
}

void WeightAverage::update(std::int64_t update) {
  if (!is_due(update)) return;
  const std::int64_t stride = average_stride(decay_, update);
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

AveragedWeightsScope::AveragedWeightsScope(WeightAverage* average, std::span<RowAdamW> tables)
    : average_(average) {
  if (average_ != nullptr) average_->swap();
  for (RowAdamW& rows : tables)
    tables_.push_back(
        {&rows, std::vector<bool>(static_cast<std::size_t>(rows.table().size(0))), {}, {}});
}

AveragedWeightsScope::~AveragedWeightsScope() {
  if (average_ != nullptr) average_->swap();
  for (Settled& table : tables_) table.put_back();
}

void AveragedWeightsScope::settle(std::size_t table, std::span<const std::int32_t> ids) {
  if (table >= tables_.size()) return;
  Settled& own = tables_[table];
  // The rows that most texts have stay from batch to batch.
  constexpr std::size_t kMostKept = 8;  // of so many rows, one; and those of a batch
  if (own.ids.size() > own.is_settled.size() / kMostKept) own.put_back();
  const std::int64_t dim = own.rows->table().size(1);
  float* const values = own.rows->table().mutable_data_ptr<float>();
  for (const std::int32_t id : ids) {
    if (own.is_settled[static_cast<std::size_t>(id)]) continue;
    own.is_settled[static_cast<std::size_t>(id)] = true;
    own.ids.push_back(id);
    float* const row = values + id * dim;
    own.kept.insert(own.kept.end(), row, row + dim);
    own.rows->settle(id, id + 1, row);
  }
}

void AveragedWeightsScope::Settled::put_back() {
  const std::int64_t dim = rows->table().size(1);
  float* const values = rows->table().mutable_data_ptr<float>();
  const float* from = kept.data();
  for (const std::int32_t id : ids) {
    std::copy(from, from + dim, values + id * dim);
    from += dim;
    is_settled[static_cast<std::size_t>(id)] = false;
  }
  ids.clear();
  kept.clear();
}

}  // namespace diffuse
