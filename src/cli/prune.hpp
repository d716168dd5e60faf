#pragma once

#include <string>

#include "model_options.hpp"

namespace diffuse::cli {

struct PruneOptions {
  ModelOptions model;
  std::string out;         ///< folder of the new checkpoint
  double keep = 0;         ///< part of the n-grams that stay; 0: usual_part
  bool int8 = false;       ///< a byte for each weight
  std::string data;        ///< measured on; empty: what training left for it
  std::string train;       ///< where the training file is; empty: where it was
  std::string validation;  ///< the same of the validation file
  bool json = false;
};

/// Declares the verb `prune`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_prune(CLI::App& app, PruneOptions& options);
/// Writes a checkpoint with fewer n-grams; what it takes and how accurate it is, before and after,
/// goes to stdout. Returns the exit code.
int run_prune(const PruneOptions& options);

}  // namespace diffuse::cli
