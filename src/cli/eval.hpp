#pragma once

#include <optional>

#include "data_options.hpp"
#include "model_options.hpp"

namespace diffuse::cli {

struct EvalOptions {
  ModelOptions model;
  DataOptions reading;
  std::optional<OnError> on_error;  ///< what a bad row does; nothing: as in training
  std::string data;                 ///< empty: the test file of the checkpoint's config
  std::string output;               ///< empty: none
  std::string against;              ///< predictions of another model on the same rows; empty: none
  std::vector<Precision> compare_precision;  ///< empty: the usual report
  bool reach = false;  ///< what edits at a distance change, in place of the usual report
  bool json = false;
};

/// Declares the verb `eval`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_eval(CLI::App& app, EvalOptions& options);
/// Measures a checkpoint on a labelled file; the report goes to stdout. Returns the exit code.
int run_eval(const EvalOptions& options);

}  // namespace diffuse::cli
