#pragma once

#include <cstdint>
#include <string>

#include "diffuse/train/schedule.hpp"

namespace diffuse {

/// The numbers that training carries from one update to the next.
struct TrainingState {
  std::int64_t update = 0;    ///< updates done
  std::int64_t epoch = 0;     ///< epoch of the next update, 0-based
  std::int64_t position = 0;  ///< batches of that epoch already used
  bool has_best = false;
  std::int64_t best_update = 0;
  double best_accuracy = 0;
  double best_loss = 0;
  std::int64_t evaluations_without_gain = 0;

  /// Takes in an evaluation at `update`; whether it is the best so far: a higher accuracy, or the
  /// same and a lower loss.
  bool note_evaluation(double accuracy, double loss);
};

/// The content of a checkpoint's `state.json`.
std::string training_state_json(const TrainingState& state, const LearningRateSchedule& schedule);

}  // namespace diffuse
