#include "diffuse/train/row_adamw.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/row_update.hpp"
#include "diffuse/train/weight_average.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kTaskRows = 256;

double tail_decay(const AdamWOptions& options) { return options.beta1 / std::sqrt(options.beta2); }

/// How many rows before it is worked on a row is asked for.
constexpr std::size_t kRowsAhead = 4;

/// Asks for a row of each array: they lie anywhere in memory. Null ones are none.
void prefetch_row(std::initializer_list<const float*> arrays, std::int64_t at, std::int64_t dim) {
  constexpr std::int64_t kLineFloats = 16;
  for (const float* array : arrays)
    for (std::int64_t c = 0; array != nullptr && c < dim; c += kLineFloats)
      __builtin_prefetch(array + at + c, 1);
}

/// Calls `work(index)` for 0 … count - 1 on all threads.
template <class Work>
void for_rows(std::size_t count, WorkerPool& workers, const Work& work) {
  const auto rows = static_cast<std::int64_t>(count);
  workers.run((rows + kTaskRows - 1) / kTaskRows, [&](std::int64_t task, std::int64_t) {
    const std::int64_t end = std::min(rows, (task + 1) * kTaskRows);
    for (std::int64_t i = task * kTaskRows; i < end; ++i) work(static_cast<std::size_t>(i));
  });
}

}  // namespace

AdamWOptions adamw_options(const TrainConfig& config) {
  return {.beta1 = config.beta1,
          .beta2 = config.beta2,
          .epsilon = config.epsilon,
          .weight_decay = config.weight_decay,
          .embedding_weight_decay = config.embedding_weight_decay,
          .embedding_lr_factor = embedding_lr_factor(config)};
}

double embedding_lr_factor(const TrainConfig& config) {
  // Of what was read about rare words the labelled rows say nothing: they would be learned by heart
  // (docs/pretraining.md, "All labels").
  constexpr double kOfLearnedBefore = 0.05;
  if (config.embedding_lr_factor >= 0) return config.embedding_lr_factor;
  return config.pretrain.empty() && config.init.empty() ? 1 : kOfLearnedBefore;
}

bool updates_touched_rows(const TrainConfig& config, Kernel kernel, Precision precision) {
  if (config.embedding_update != EmbeddingUpdate::touched) return false;
  if (kernel == Kernel::operations) return config.accumulate == 1 && precision != Precision::fp16;
  return kernel == Kernel::fused && RowAdamW::can_follow(adamw_options(config));
}

bool RowAdamW::can_follow(const AdamWOptions& options) {
  return TailSteps::length(tail_decay(options)) > 0;
}

RowAdamW::RowAdamW(const NamedParameter& parameter, const AdamWOptions& options,
                   double average_decay)
    : name_(parameter.name),
      table_(parameter.tensor.detach()),
      options_(options),
      lr_factor_(options.lr_factor(parameter)),
      average_decay_(average_decay),
      moment1_(at::zeros_like(table_)),
      moment2_(at::zeros_like(table_)),
      powers1_(options.beta1),
      powers2_(options.beta2),
      last_update_(at::zeros({table_.size(0)}, at::kInt)),
      tails_(tail_decay(options)),
      log_shrunk_(1, 0.0),
      log_kept_(1, 0.0) {
  if (average_decay > 0) average_ = table_.clone();
}

void RowAdamW::note_updates(std::int64_t update) {
  for (auto u = static_cast<std::int64_t>(log_kept_.size()); u <= update; ++u)
    log_kept_.push_back(log_kept_.back() + std::log(diffuse::average_decay(average_decay_, u)));
}

double RowAdamW::kept_average(std::int64_t from, std::int64_t to) const {
  return std::exp(log_kept_[static_cast<std::size_t>(to)] -
                  log_kept_[static_cast<std::size_t>(from)]);
}

double RowAdamW::Powers::of(std::int64_t exponent) const {
  const auto index = static_cast<std::size_t>(exponent);
  return index < values_.size() ? values_[index] : std::pow(base_, static_cast<double>(exponent));
}

RowAdamW::Powers::Powers(double base) : base_(base) {
  // A row is seldom away for longer, and a power for each row would take half the update's time.
  constexpr std::int64_t kCount = 4096;
  for (std::int64_t i = 0; i < kCount; ++i)
    values_.push_back(std::pow(base, static_cast<double>(i)));
}

RowTail RowAdamW::missed(std::int64_t last) const {
  return {
      .distance = tails_.since(last),
      .weight = options_.embedding_weight_decay == 0
                    ? 1.0
                    : std::exp(log_shrunk_.back() - log_shrunk_[static_cast<std::size_t>(last)]),
      // Of a row that never came the moments are zero, and stay so divided by anything else.
      .epsilon = last > 0 ? options_.epsilon * std::sqrt(1.0 - powers2_.of(last)) : 1.0};
}

void RowAdamW::catch_up(std::span<const std::int32_t> ids, WorkerPool& workers) {
  const std::int64_t dim = table_.size(1);
  const auto* last = last_update_.const_data_ptr<std::int32_t>();
  float* values = table_.mutable_data_ptr<float>();
  float* moment1 = moment1_.mutable_data_ptr<float>();
  float* moment2 = moment2_.mutable_data_ptr<float>();
  for_rows(ids.size(), workers, [&](std::size_t i) {
    if (i + kRowsAhead < ids.size())
      prefetch_row({values, moment1, moment2}, ids[i + kRowsAhead] * dim, dim);
    const std::int64_t at = ids[i] * dim;
    // A row that never came has moved only where there is weight decay.
    const bool moved = last[ids[i]] > 0 || options_.embedding_weight_decay != 0;
    if (moved && last[ids[i]] < update_)
      follow_tail(missed(last[ids[i]]), dim, {values + at, moment1 + at, moment2 + at},
                  values + at);
  });
}

void RowAdamW::step(const RowGradient& gradient, std::int64_t update, double learning_rate,
                    double divisor) {
  if (average_.defined()) note_updates(update);
  update_ = update;
  const double rate = learning_rate * lr_factor_;
  const RowUpdate rule{
      .learning_rate = rate,
      .beta1 = options_.beta1,
      .beta2 = options_.beta2,
      .epsilon = options_.epsilon,
      .gradient_scale = 1.0 / divisor,
      .correction1 = 1.0 - powers1_.of(update),
      .correction2 = 1.0 - powers2_.of(update),
      .kept_average = average_.defined() ? diffuse::average_decay(average_decay_, update) : 0};
  log_shrunk_.push_back(log_shrunk_.back() + std::log1p(-rate * options_.embedding_weight_decay));
  tails_.add(rate * std::sqrt(rule.correction2) / rule.correction1);
  auto* last = last_update_.mutable_data_ptr<std::int32_t>();
  const std::int64_t dim = table_.size(1);
  float* values = table_.mutable_data_ptr<float>();
  float* moment1 = moment1_.mutable_data_ptr<float>();
  float* moment2 = moment2_.mutable_data_ptr<float>();
  float* average = average_.defined() ? average_.mutable_data_ptr<float>() : nullptr;
  for_rows(gradient.ids.size(), *gradient.workers, [&](std::size_t index) {
    if (index + kRowsAhead < gradient.ids.size())
      prefetch_row({values, moment1, moment2, average}, gradient.ids[index + kRowsAhead] * dim,
                   dim);
    const std::int64_t id = gradient.ids[index];
    const std::int64_t since = update - last[id];
    const RowAbsence absence{
        .moment1 = powers1_.of(since),
        .moment2 = powers2_.of(since),
        .weight = 1.0 - rate * options_.embedding_weight_decay,
        .average = average == nullptr ? 1.0 : kept_average(last[id], update - 1)};
    last[id] = static_cast<std::int32_t>(update);
    const std::int64_t at = id * dim;
    update_row(
        rule, absence, {gradient.row(index), static_cast<std::size_t>(dim)},
        {values + at, moment1 + at, moment2 + at, average == nullptr ? nullptr : average + at});
  });
}

/// Writes where the updates so far have the row, which may be at `to`.
void RowAdamW::follow_row(std::int64_t id, float* to) const {
  const std::int64_t dim = table_.size(1);
  const std::int64_t at = id * dim;
  follow_tail(missed(last_update_.const_data_ptr<std::int32_t>()[id]), dim,
              {table_.mutable_data_ptr<float>() + at, moment1_.mutable_data_ptr<float>() + at,
               moment2_.mutable_data_ptr<float>() + at},
              to);
}

void RowAdamW::settle(std::int64_t begin, std::int64_t end, float* to) const {
  const std::int64_t dim = table_.size(1);
  const auto* last = last_update_.const_data_ptr<std::int32_t>();
  for (std::int64_t id = begin; id < end; ++id, to += dim) {
    follow_row(id, to);
    if (!average_.defined()) continue;
    const float* average = average_.const_data_ptr<float>() + id * dim;
    const auto kept = static_cast<float>(kept_average(last[id], update_));
    for (std::int64_t c = 0; c < dim; ++c) to[c] += (average[c] - to[c]) * kept;
  }
}

RowAdamW::NamedTensors RowAdamW::state() const {
  NamedTensors named = {{"exp_avg." + name_, moment1_},
                        {"exp_avg_sq." + name_, moment2_},
                        {"last_update." + name_, last_update_}};
  if (average_.defined()) named.emplace_back("average." + name_, average_);
  at::Tensor shrunk = at::empty({static_cast<std::int64_t>(log_shrunk_.size())}, at::kDouble);
  std::copy(log_shrunk_.begin(), log_shrunk_.end(), shrunk.mutable_data_ptr<double>());
  named.emplace_back("decay." + name_, shrunk);
  named.emplace_back("tails." + name_, tails_.state());
  return named;
}

RowAdamW::NamedTensors RowAdamW::state_of(std::int64_t update) const {
  auto named = state();
  named[named.size() - 2].second = at::empty({update + 1}, at::kDouble);
  named.back().second = at::empty({tails_.state_size(update)}, at::kDouble);
  return named;
}

void RowAdamW::resume(std::int64_t update, const NamedTensors& state) {
  const auto* last = last_update_.const_data_ptr<std::int32_t>();
  for (std::int64_t id = 0; id < last_update_.numel(); ++id) {
    if (last[id] < 0 || last[id] > update)
      throw CheckpointError(
          fmt::format("The checkpoint's last_update.{} holds {} for row {}; expected an update "
                      "between 0 and {}, "
                      "that of the checkpoint.",
                      name_, last[id], id, update));
  }
  update_ = update;
  tails_.set_state(state.back().second, update);
  const at::Tensor& shrunk = state[state.size() - 2].second;
  log_shrunk_.assign(shrunk.const_data_ptr<double>(),
                     shrunk.const_data_ptr<double>() + shrunk.numel());
  if (average_.defined()) note_updates(update);
}

void RowAdamW::finish() {
  // Of a run that goes on on another device; there each is the same tensor.
  const at::Tensor own = table_;
  for (at::Tensor* tensor : {&table_, &moment1_, &moment2_, &average_})
    if (tensor->defined()) *tensor = tensor->cpu();
  const std::int64_t dim = table_.size(1);
  const auto* last = last_update_.const_data_ptr<std::int32_t>();
  std::vector<float> row(static_cast<std::size_t>(dim));
  for (std::int64_t id = 0; id < table_.size(0); ++id) {
    if (average_.defined()) {
      settle(id, id + 1, row.data());
      std::copy(row.begin(), row.end(), average_.mutable_data_ptr<float>() + id * dim);
    }
    follow_row(id, table_.mutable_data_ptr<float>() + id * dim);
    const auto kept1 = static_cast<float>(powers1_.of(update_ - last[id]));
    const auto kept2 = static_cast<float>(powers2_.of(update_ - last[id]));
    for (std::int64_t c = id * dim; c < (id + 1) * dim; ++c) {
      moment1_.mutable_data_ptr<float>()[c] *= kept1;
      moment2_.mutable_data_ptr<float>()[c] *= kept2;
    }
  }
  if (!own.is_cpu()) own.copy_(table_);
}

}  // namespace diffuse
