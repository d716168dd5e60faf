#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// Where one epoch's wall-clock time went, in seconds.
struct TimeSplit {
  double data_s = 0;
  double forward_s = 0;
  double backward_s = 0;
  double optimizer_s = 0;
  double evaluation_s = 0;
};

/// What a finished run has to tell.
struct TrainingResult {
  std::int64_t updates = 0;
  std::int64_t best_update = 0;
  double best_accuracy = 0;    ///< on the validation rows
  bool stopped_early = false;  ///< patience ran out
  double training_time_s = 0;  ///< without loading and the final test
  std::filesystem::path best_checkpoint;
};

/// Trains `classifier` by `config` on `data` into the run directory `run_dir` (exists, empty but
/// for what the caller wrote), with checkpoints, `metrics.jsonl` and progress. Throws
/// TrainingError if the loss stops being finite; the last good checkpoint stays.
TrainingResult train(const Config& config, const TrainingData& data, Classifier& classifier,
                     const std::filesystem::path& run_dir);

}  // namespace diffuse
