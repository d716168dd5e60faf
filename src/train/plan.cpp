#include "diffuse/train/plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

/// What train.length = "auto" stands for.
std::int64_t automatic_length(std::int64_t updates_per_epoch) {
  constexpr std::int64_t kUpdates = 2000;
  constexpr std::int64_t kFewestEpochs = 3;
  constexpr std::int64_t kMostEpochs = 30;
  const std::int64_t epochs = (kUpdates + updates_per_epoch - 1) / updates_per_epoch;
  return std::clamp(epochs, kFewestEpochs, kMostEpochs) * updates_per_epoch;
}

/// What train.warmup = "auto" stands for.
std::int64_t automatic_warmup(std::int64_t total) {
  return std::min<std::int64_t>(200, total / 10);
}

}  // namespace

TrainingPlan make_plan(const TrainConfig& config, std::size_t row_count) {
  if (row_count == 0) throw DataError("There are no training rows (data.train).");
  TrainingPlan plan;
  plan.updates_per_epoch =
      (static_cast<std::int64_t>(row_count) + config.batch_size - 1) / config.batch_size;
  const auto updates = [&](const std::string& text) {
    return length_in_updates(parse_length(text), plan.updates_per_epoch);
  };
  // Less than an update, but more than nothing, is one.
  const auto at_least_one = [&](const std::string& text) {
    return std::max<std::int64_t>(updates(text), parse_length(text).value > 0 ? 1 : 0);
  };
  plan.total = config.length == kAutomaticLength ? automatic_length(plan.updates_per_epoch)
                                                 : at_least_one(config.length);
  plan.evaluate_every = std::max<std::int64_t>(updates(config.evaluate_every), 1);
  plan.schedule = {.kind = config.schedule,
                   .peak = config.learning_rate,
                   .warmup = config.warmup == kAutomaticLength ? automatic_warmup(plan.total)
                                                               : updates(config.warmup),
                   .total = plan.total};
  return plan;
}

std::string warmup_problem(const TrainConfig& config, const TrainingPlan& plan) {
  const std::int64_t warmup = plan.schedule.warmup;
  const bool told = warmup > plan.total && config.warmup.back() == config.length.back();
  if (plan.total == 0 || warmup < plan.total || told) return "";
  return fmt::format(
      "Warm-up (train.warmup = {}) takes {} updates and the whole run has {}: the learning rate "
      "never falls. Shorten train.warmup.",
      config.warmup, warmup, plan.total);
}

}  // namespace diffuse
