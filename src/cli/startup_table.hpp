#pragma once

#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse::cli {

/// What else the start-up table shows.
struct StartupFacts {
  std::string device;
  int threads = 1;
  std::int64_t parameter_count = 0;
  std::string memory;         ///< the estimate as a line; empty: no such line
  std::string run_directory;  ///< empty: no such line
};

/// The start-up table of a training run: rows and tokens of each part, classes, vocabulary,
/// parameters, device, and every parameter that differs from its default.
std::string startup_table(const Config& config, const TrainingData& data,
                          const StartupFacts& facts);

/// "key  value  (default value)" for each parameter of `config` that differs from the default,
/// each on a line.
std::string changed_parameters(const Config& config);

}  // namespace diffuse::cli
