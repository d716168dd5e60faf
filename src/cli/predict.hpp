#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data_options.hpp"
#include "model_options.hpp"
#include "predict_output.hpp"

namespace diffuse::cli {

/// automatic: by the file's name, text where that tells none and for stdin.
enum class InputFormat { automatic, text, csv, tsv, jsonl };

struct PredictOptions {
  ModelOptions model;
  std::string file = "-";  ///< "-": stdin
  InputFormat input_format = InputFormat::automatic;
  DataOptions reading;
  std::vector<std::string> keep;       ///< columns or keys to carry through
  std::optional<OutputFormat> format;  ///< nothing: text with explanations, else tsv
  std::int64_t top = 1;
  std::optional<double> target_accuracy;  ///< of the answers that are given
  std::int64_t explained = 0;             ///< parts of each answer's explanation; 0: none
  bool logits = false;                    ///< also write the logits (jsonl only)
  bool probabilities = false;             ///< also write those of all classes (jsonl only)
};

/// Declares the verb `predict`; parsing fills `options`, which must outlive the parser.
CLI::App* setup_predict(CLI::App& app, PredictOptions& options);
/// Classifies texts, one output line for each record. Returns the exit code: kFailed if any record
/// could not be used or has no answer.
int run_predict(const PredictOptions& options);

}  // namespace diffuse::cli
