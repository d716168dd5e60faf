#include "diffuse/train/plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <string>

#include "batch_stream.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

constexpr double kSecondsAMinute = 60;
constexpr std::int64_t kAnyLength = std::numeric_limits<std::int64_t>::max();

/// What train.length = "auto" stands for.
std::int64_t automatic_length(std::int64_t updates_per_epoch) {
  constexpr std::int64_t kUpdates = 2000;
  constexpr std::int64_t kFewestEpochs = 3;
  constexpr std::int64_t kMostEpochs = 30;
  const std::int64_t epochs = (kUpdates + updates_per_epoch - 1) / updates_per_epoch;
  return std::clamp(epochs, kFewestEpochs, kMostEpochs) * updates_per_epoch;
}

/// What train.warmup = "auto" stands for: so many updates, at most this share of the run.
constexpr std::int64_t kWarmupUpdates = 200;
constexpr std::int64_t kWarmupShare = 10;  // one of ten

std::int64_t automatic_warmup(std::int64_t total) {
  return std::min(kWarmupUpdates, total / kWarmupShare);
}

}  // namespace

std::int64_t updates_in_epoch(const TrainConfig& config, const DatasetView& train,
                              std::int64_t epoch_rows) {
  if (train.size() == 0) throw DataError("There are no training rows (data.train).");
  const auto rounded_up = [](std::int64_t count, std::int64_t by) { return (count + by - 1) / by; };
  const SamplerOptions options = sampler_options(config);
  std::int64_t batches = batches_of_epoch_rows(train, options, epoch_rows);
  if (batches == 0) batches = batches_in_pass(train, options);
  if (batches == 0) batches = std::ssize(epoch_batches(train, options, 0));
  return rounded_up(batches, config.accumulate);
}

TrainingPlan plan_of(const Config& config, const DatasetView& train) {
  TrainingPlan plan =
      make_plan(config.train, updates_in_epoch(config.train, train, config.data.epoch_rows));
  if (config.model.type == ModelType::diffusion && config.model.dim == 0) {
    plan.total = 0;
    plan.time_limit_s = 0;
    plan.schedule.total = 0;  // nothing is said of a rate that nothing follows
  }
  return plan;
}

TrainingPlan make_plan(const TrainConfig& config, std::int64_t updates_per_epoch) {
  TrainingPlan plan;
  plan.updates_per_epoch = updates_per_epoch;
  const auto updates = [&](const std::string& text) {
    return length_in_updates(parse_length(text), updates_per_epoch);
  };
  // Less than an update, but more than nothing, is one.
  const auto at_least_one = [&](const std::string& text) {
    return std::max<std::int64_t>(updates(text), parse_length(text).value > 0 ? 1 : 0);
  };
  std::int64_t scheduled = 0;
  if (config.length == kAutomaticLength) {
    scheduled = automatic_length(updates_per_epoch);
  } else if (const Length length = parse_length(config.length);
             length.unit == Length::Unit::minutes) {
    plan.time_limit_s = length.value * kSecondsAMinute;
  } else {
    scheduled = at_least_one(config.length);
  }
  const bool timed = plan.time_limit_s > 0;
  plan.total = timed ? kAnyLength : scheduled;
  if (config.max_updates > 0) plan.total = std::min(plan.total, config.max_updates);
  plan.evaluate_every = std::max<std::int64_t>(updates(config.evaluate_every), 1);
  const Length every = parse_length(config.checkpoint_every);
  if (every.unit == Length::Unit::minutes) {
    plan.checkpoint_every_s = every.value * kSecondsAMinute;
  } else {
    plan.checkpoint_every = at_least_one(config.checkpoint_every);
  }
  plan.schedule = {.kind = config.schedule,
                   .peak = config.learning_rate,
                   .warmup = config.warmup == kAutomaticLength
                                 ? automatic_warmup(timed ? kAnyLength : scheduled)
                                 : updates(config.warmup),
                   .warmup_share = timed && config.warmup == kAutomaticLength
                                       ? 1.0 / static_cast<double>(kWarmupShare)
                                       : 0.0,
                   .total = scheduled};
  return plan;
}

std::string warmup_problem(const TrainConfig& config, const TrainingPlan& plan) {
  const std::int64_t warmup = plan.schedule.warmup;
  const std::int64_t total = plan.schedule.total;
  const bool told = warmup > total && config.warmup.back() == config.length.back();
  if (total == 0 || warmup < total || told) return "";
  return fmt::format(
      "Warm-up (train.warmup = {}) takes {} updates and the whole run has {}: the learning rate "
      "never falls. Shorten train.warmup.",
      config.warmup, warmup, total);
}

}  // namespace diffuse
