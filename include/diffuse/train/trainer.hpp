#pragma once

#include <filesystem>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// What a finished run has to tell.
struct TrainingResult {
  std::int64_t updates = 0;
  std::int64_t best_update = 0;  ///< 0 without validation rows
  double best_accuracy = 0;      ///< on the validation rows; 0 without any
  bool stopped_early = false;    ///< patience ran out
  int stopped_by_signal = 0;     ///< number of the signal that ended the run, 0 if none
  double training_time_s = 0;    ///< without loading and the final test
  /// Of the last update.
  std::filesystem::path last_checkpoint;
  /// The best checkpoint by validation accuracy; the last one where there was no evaluation.
  std::filesystem::path best_checkpoint;
};

/// Trains `classifier` by `config` on `data` into the run directory `run_dir` (exists, empty but
/// for what the caller wrote): `checkpoints/`, `metrics.jsonl`, and progress on stderr. Moves the
/// classifier to the device of `train.device`. It holds the last weights afterwards, not the best:
/// load those from `best_checkpoint`.
///
/// A caught SIGINT or SIGTERM (base/signals.hpp) ends the run after the current update with a
/// checkpoint. Throws TrainingError if the loss or the gradient stops being finite (the last good
/// checkpoint stays) and ConfigError for a length that cannot be read.
TrainingResult train(const Config& config, const TrainingData& data, Classifier& classifier,
                     const std::filesystem::path& run_dir);

}  // namespace diffuse
