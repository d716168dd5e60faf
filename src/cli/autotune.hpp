#pragma once

#include <string>

#include "train.hpp"

namespace diffuse::cli {

/// `train --autotune`: searches a configuration on rows kept aside of the training's
/// (docs/autotune.md), names it, and trains and tests it as `train` does. With --resume goes on
/// with the search. Returns the exit code. Throws as `run_train` does.
int run_autotuned(const TrainOptions& options, const std::string& start_time);

}  // namespace diffuse::cli
