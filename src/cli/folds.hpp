#pragma once

#include <string>

#include "train.hpp"

namespace diffuse::cli {

/// `train --folds K`: trains a model on all folds but one, K times, and has it answer that one;
/// prints the figures, writes them (`cross-validation.json`) and the answers (`predictions.jsonl`).
/// With --ensemble the models are kept, and answer the test rows together (`test.json`). With
/// --resume goes on with the first fold that is not finished. Returns the exit code. Throws as
/// `run_train` does.
int run_folds(const TrainOptions& options, const std::string& start_time);

}  // namespace diffuse::cli
