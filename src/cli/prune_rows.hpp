#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/training_rows.hpp"
#include "model_options.hpp"
#include "prune.hpp"

namespace diffuse::cli {

/// The rows that a model is pruned by, with their n-grams.
struct PruneRows {
  TrainingRows training;  ///< that the n-grams are trained on anew; none where all n-grams stay
  std::unique_ptr<EncodedDataset> validation_file;  ///< null where they are a part of training
  DatasetView validation;                           ///< that choose; may be empty
  std::unique_ptr<EncodedDataset> measured_file;    ///< null where validation rows are measured
  DatasetView measured;                             ///< may be empty
  std::string measured_name;                        ///< "test.csv", "validation rows"

  /// Replaces every n-gram's number n by to[n]; those that become -1 go.
  void map_ngrams(std::span<const std::int32_t> to, WorkerPool& pool);
};

/// Reads them: the training file where n-grams are to go or nothing else has rows that accuracy can
/// be told of, the validation rows, and what accuracy is told of: --data, or else the validation
/// rows, or else the test file; none of these is a warning.
/// Throws UsageError, DataError and CheckpointError.
PruneRows read_prune_rows(const PruneOptions& options, const OpenedModel& opened);

}  // namespace diffuse::cli
