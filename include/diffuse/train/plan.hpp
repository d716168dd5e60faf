#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/train/schedule.hpp"

namespace diffuse {

/// The lengths of a run, in updates.
struct TrainingPlan {
  std::int64_t updates_per_epoch = 0;
  std::int64_t total = 0;
  std::int64_t evaluate_every = 0;  ///< at least 1
  LearningRateSchedule schedule;
};

/// Resolves the lengths of `config` for `row_count` training rows. Throws DataError if there are
/// none and ConfigError for a length that cannot be read.
TrainingPlan make_plan(const TrainConfig& config, std::size_t row_count);

/// What to tell of a warm-up that lasts as long as the run; empty where it does not, or where the
/// check of the config has told already (a longer warm-up in the same unit as the length).
std::string warmup_problem(const TrainConfig& config, const TrainingPlan& plan);

}  // namespace diffuse
