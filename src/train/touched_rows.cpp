#include "touched_rows.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <string>
#include <utility>

namespace diffuse {
namespace {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

at::Tensor tensor_of(const NamedTensors& state, const std::string& name) {
  return std::find_if(state.begin(), state.end(),
                      [&](const auto& entry) { return entry.first == name; })
      ->second;
}

}  // namespace

TouchedRows::TouchedRows(const std::vector<NamedParameter>& parameters, const AdamW& optimizer,
                         const AdamWOptions& options) {
  const NamedTensors state = optimizer.state();
  for (const NamedParameter& parameter : parameters) {
    if (parameter.role != ParameterRole::embedding) continue;
    const at::Tensor values = parameter.tensor.detach();
    tables_.push_back(
        {.state = {.values = values,
                   .moment1 = tensor_of(state, "exp_avg." + parameter.name),
                   .moment2 = tensor_of(state, "exp_avg_sq." + parameter.name),
                   .last_update = at::zeros({values.size(0)}, values.options().dtype(at::kInt))},
         .rule = {.beta1 = options.beta1,
                  .beta2 = options.beta2,
                  .epsilon = options.epsilon,
                  .weight_decay = options.embedding_weight_decay,
                  .lr_factor = options.lr_factor(parameter)}});
  }
  updates_ = tensor_of(state, "step.embedding");
}

void TouchedRows::begin_update(double learning_rate) {
  clock_.note(learning_rate, tables_.front().rule.beta1, tables_.front().rule.beta2);
}

EmbeddingAccess TouchedRows::access(const at::Tensor& clock) const {
  return {.before_rows = [this, clock](std::size_t table, const SortedIds& ids) {
    follow_updates(tables_[table].state, tables_[table].rule, clock, ids);
  }};
}

std::vector<at::Tensor> TouchedRows::gradients(const EmbeddingAccess& access) {
  std::vector<at::Tensor> found;
  for (const ReadRows& read : access.read)
    found.push_back(run_sums(access.sum.grad(), read.ids, read.scale));
  return found;
}

void TouchedRows::step(const EmbeddingAccess& access, const std::vector<at::Tensor>& gradients,
                       const at::Tensor& divisor, const at::Tensor& clock) const {
  for (std::size_t i = 0; i < gradients.size(); ++i)
    update_rows(tables_[i].state, tables_[i].rule, clock, access.read[i].ids, gradients[i],
                divisor);
}

void TouchedRows::dense_update() {
  for (const Table& table : tables_) table.state.last_update.fill_(clock_.update);
  settled_ = clock_.update;
}

void TouchedRows::settle() {
  if (settled_ == clock_.update) return;
  const at::Tensor clock = clock_on(clock_, updates_.device());
  for (const Table& table : tables_) follow_all_updates(table.state, table.rule, clock);
  updates_.fill_(clock_.update);
  settled_ = clock_.update;
}

void TouchedRows::resume() {
  clock_ = {.update = static_cast<std::int32_t>(updates_.item<float>())};
  dense_update();
}

}  // namespace diffuse
