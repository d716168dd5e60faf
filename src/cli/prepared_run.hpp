#pragma once

#include <c10/core/Device.h>

#include <optional>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/data/word_vectors.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "manifest.hpp"
#include "startup_table.hpp"
#include "train.hpp"

namespace diffuse::cli {

/// What is known of a run before its folder is touched.
struct PreparedRun {
  Config config;
  at::Device device;
  Precision precision;
  Kernel kernel = Kernel::reference;  ///< which one runs, never automatic
  int threads = 1;
  TrainingData data;
  ModelShape shape;
  StartupFacts startup;
  MemoryEstimate estimate;
  std::optional<WordVectors> vectors{};  ///< that a fresh model starts with
  bool report = true;                    ///< whether report.html is written
};

/// How a run is prepared beside its config.
struct Preparation {
  std::string resumed{};            ///< run directory that is gone on with; empty: a new run
  bool dry_run = false;             ///< nothing is written, not even to the cache
  const RowParts* parts = nullptr;  ///< of the training file; the test rows are then among them
  /// Which records of the training file validate, in the place of data.validation_fraction of it.
  const std::vector<bool>* validation = nullptr;
  bool no_test = false;  ///< data.test is not read
};

/// Reads the data of a checked config, and finds out what the run will take.
PreparedRun prepare_run(const Config& config, const Preparation& how);

/// What the run's manifest says of it.
RunFacts facts_of(const PreparedRun& run, const TrainOptions& options,
                  const std::string& start_time);

}  // namespace diffuse::cli
