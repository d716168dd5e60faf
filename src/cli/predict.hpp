#pragma once

#include "model_options.hpp"
#include "predict_records.hpp"

namespace diffuse::cli {

struct PredictOptions {
  ModelOptions model;
  std::string file = "-";  ///< "-": stdin
  InputFormat input_format = InputFormat::text;
  OutputFormat format = OutputFormat::tsv;
  std::int64_t top = 1;
  bool logits = false;  ///< also write the logits (jsonl only)
};

/// Declares the verb `predict`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_predict(CLI::App& app, PredictOptions& options);
/// Classifies texts, one output line for each input line. Returns the exit code: kFailed if any
/// line could not be used.
int run_predict(const PredictOptions& options);

}  // namespace diffuse::cli
