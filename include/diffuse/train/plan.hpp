#pragma once

#include <cstdint>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/train/schedule.hpp"

namespace diffuse {

/// The lengths of a run, in updates and seconds.
struct TrainingPlan {
  std::int64_t updates_per_epoch = 0;
  /// Updates after which the run ends; where `time_limit_s` is set it may never come to that.
  std::int64_t total = 0;
  double time_limit_s = 0;            ///< wall-clock time after which the run ends; 0: none
  std::int64_t evaluate_every = 0;    ///< at least 1
  std::int64_t checkpoint_every = 0;  ///< 0: only with evaluations, or by time
  double checkpoint_every_s = 0;      ///< 0: not by time
  LearningRateSchedule schedule;
};

/// Updates of an epoch over `train`, or of `epoch_rows` of its rows (data.epoch_rows); with a token
/// budget, of the first epoch. Throws DataError if there are no rows.
std::int64_t updates_in_epoch(const TrainConfig& config, const DatasetView& train,
                              std::int64_t epoch_rows = 0);

/// The plan of a run by `config` on the rows `train`. Without a network (model.dim = 0) there is
/// nothing to update.
TrainingPlan plan_of(const Config& config, const DatasetView& train);

/// Resolves the lengths of `config`. Throws ConfigError for one that cannot be read.
TrainingPlan make_plan(const TrainConfig& config, std::int64_t updates_per_epoch);

/// What to tell of a warm-up that lasts as long as the run; empty where it does not, or where the
/// check of the config has told already (a longer warm-up in the same unit as the length).
std::string warmup_problem(const TrainConfig& config, const TrainingPlan& plan);

}  // namespace diffuse
