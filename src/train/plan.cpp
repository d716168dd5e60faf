#include "diffuse/train/plan.hpp"

#include <algorithm>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {

TrainingPlan make_plan(const TrainConfig& config, std::size_t row_count) {
  if (row_count == 0) throw DataError("There are no training rows (data.train).");
  TrainingPlan plan;
  plan.updates_per_epoch =
      (static_cast<std::int64_t>(row_count) + config.batch_size - 1) / config.batch_size;
  const auto updates = [&](const std::string& text) {
    return length_in_updates(parse_length(text), plan.updates_per_epoch);
  };
  plan.total = updates(config.length);
  plan.evaluate_every = std::max<std::int64_t>(updates(config.evaluate_every), 1);
  plan.schedule = {.kind = config.schedule,
                   .peak = config.learning_rate,
                   .warmup = updates(config.warmup),
                   .total = plan.total};
  if (plan.schedule.warmup >= plan.total && plan.total > 0)
    log::warning(
        "Warm-up (train.warmup = {}) takes {} updates and the whole run has {}: the learning rate "
        "never falls. Shorten train.warmup.",
        config.warmup, plan.schedule.warmup, plan.total);
  return plan;
}

}  // namespace diffuse
