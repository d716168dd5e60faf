#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/eval/metrics.hpp"
#include "diffuse/train/figure_sums.hpp"
#include "diffuse/train/recent_losses.hpp"
#include "diffuse/train/schedule.hpp"

namespace diffuse {

/// The numbers that training carries from one update to the next.
struct TrainingState {
  std::int64_t update = 0;      ///< updates done
  std::int64_t epoch = 0;       ///< epoch of the next update, 0-based
  std::int64_t position = 0;    ///< batches of that epoch already used
  double elapsed_s = 0;         ///< of training, in all processes so far
  bool evaluation_due = false;  ///< a signal cut the evaluation at this update short
  bool stopped_early = false;   ///< patience ran out
  FigureSums period{};          ///< since the last evaluation
  RecentLosses recent{};

  bool has_best = false;
  std::int64_t best_update = 0;
  double best_score = 0;  ///< train.metric, negated for the loss, so that higher is better
  double best_accuracy = 0;
  double best_loss = 0;
  double reference_score = 0;  ///< of the last evaluation that counted as a gain
  std::int64_t evaluations_without_gain = 0;

  /// Takes in an evaluation at `update`; whether it is the best so far by `rule.metric`: a better
  /// figure, or the same and a lower loss. It is a gain for `rule.patience` if it beats the last
  /// gain by more than `rule.min_gain`; with a `min_gain` of 0, if it is the best.
  bool note_evaluation(const Metrics& metrics, const TrainConfig& rule);
  /// Takes the best evaluation from `before`: the one noted since has no checkpoint.
  void keep_best_of(const TrainingState& before);
};

/// The content of a checkpoint's `state.json`.
std::string training_state_json(const TrainingState& state, const LearningRateSchedule& schedule);

/// The schedule that a checkpoint's `state.json` was written with; throws as below.
LearningRateSchedule read_training_schedule(const std::filesystem::path& path);

/// Reads a checkpoint's `state.json`, as written by `training_state_json`. Throws CheckpointError
/// naming the file and the key that is missing or not allowed, or that it is of a newer program.
TrainingState read_training_state(const std::filesystem::path& path);

}  // namespace diffuse
