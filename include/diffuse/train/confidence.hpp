#pragma once

#include <filesystem>
#include <string>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// What a model knows, by its validation rows, of how sure its answers are.
struct Confidence {
  double temperature = 1;    ///< that divides the logits
  std::string coverage{};    ///< `coverage.json`; empty: there was no evaluation
  std::string thresholds{};  ///< `thresholds.json`, of several labels a text, in its place
};

/// What the evaluation on the validation rows says of it. The temperature is that of a network
/// alone: the factors of two branches calibrate them already.
Confidence confidence_of(const Evaluation& validation, const Labels& labels);

/// Writes it into the checkpoint folder `folder`: `calibration.json`, `coverage.json` and
/// `thresholds.json`, as far as there is something to say. Throws SystemError.
void save_confidence(const std::filesystem::path& folder, const Confidence& confidence);
/// Reads it. Throws CheckpointError and SystemError.
Confidence read_confidence(const std::filesystem::path& folder);

}  // namespace diffuse
