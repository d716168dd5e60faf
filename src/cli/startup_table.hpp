#pragma once

#include <cstdint>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/train/plan.hpp"

namespace diffuse::cli {

/// What else the start-up table shows.
struct StartupFacts {
  std::string device;
  std::string precision;  ///< resolved
  std::string kernel;     ///< which code runs the model, for people
  int threads = 1;
  std::int64_t parameter_count = 0;
  TrainingPlan plan{};
  std::string vectors;            ///< how much starts with one; empty: nothing
  std::string memory;             ///< the estimate as a line
  std::int64_t memory_bytes = 0;  ///< the estimate
  std::string run_directory;      ///< empty: no such line
};

/// The start-up table of a training run: rows and tokens of each part, classes, vocabulary,
/// parameter count, memory estimate, updates, device, precision, and every parameter: those that
/// differ from their default in a table, the others in a paragraph.
std::string startup_table(const Config& config, const TrainingData& data,
                          const StartupFacts& facts);

/// The same as one JSON object, `indent` 2; the parameters are all in `config`.
std::string startup_json(const Config& config, const TrainingData& data, const StartupFacts& facts);

}  // namespace diffuse::cli
