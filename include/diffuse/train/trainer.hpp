#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/train/baseline_figures.hpp"
#include "diffuse/train/confidence.hpp"

namespace diffuse {

/// The linear branch of a run, which is trained before the network, and what it says of the rows.
struct RunNgrams {
  LoadedNgrams branch;
  std::vector<float> validation_logits;  ///< [n, C]
  std::vector<float> test_logits;        ///< [n, C]
  /// What is known already of how sure the sum is; without validation rows nothing more will be.
  Confidence confidence{};
};

/// What a finished run has to tell.
struct TrainingResult {
  std::int64_t updates = 0;
  std::int64_t best_update = 0;  ///< 0 without validation rows
  double best_accuracy = 0;      ///< on the validation rows; 0 without any
  bool stopped_early = false;    ///< patience ran out
  int stopped_by_signal = 0;     ///< number of the signal that ended the run, 0 if none
  bool was_finished = false;     ///< there was nothing left to do
  double training_time_s = 0;    ///< of all processes, without loading and the final test
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
/// With `resume_from`, one of the run's checkpoints, goes on behind it: on the CPU, by the same
/// configuration, data and thread count, the weights are at every update those of a run that was
/// never stopped, bit for bit (but for lengths in minutes). On CUDA the rows and random numbers are
/// the same, but sums are added up in another order.
///
/// With `ngrams` the model is the sum of that branch and of `classifier`: evaluations, and the best
/// checkpoint, are the sum's. Its factors are found on the validation rows at each evaluation; at
/// first, and without such rows, they are those that it came with.
///
/// Every evaluation is reported with the figures of `baseline`, where there are any, beside the
/// run's own.
///
/// A caught stop signal (base/signals.hpp) ends the run after the current update with a checkpoint;
/// a caught SIGUSR1 or SIGUSR2 only writes one. A log, figures or a checkpoint that cannot be
/// written are a warning; SystemError is thrown at the end where the last checkpoint was not.
/// Throws TrainingError if training diverges (the last good checkpoint stays), ConfigError for a
/// length that cannot be read and CheckpointError if `resume_from` does not fit.
TrainingResult train(const Config& config, const TrainingData& data, Classifier& classifier,
                     const std::filesystem::path& run_dir,
                     const std::optional<std::filesystem::path>& resume_from = {},
                     const std::optional<BaselineFigures>& baseline = {},
                     const RunNgrams* ngrams = nullptr);

}  // namespace diffuse
