#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/eval/evaluator.hpp"

namespace diffuse {

/// What computing in another precision changes in a model's answers.
struct PrecisionDifference {
  Precision precision = Precision::fp32;
  /// Of all logits' distances from fp32's; infinite where a logit overflowed.
  double largest_logit_error = 0;
  double mean_logit_error = 0;
  std::int64_t flipped_labels = 0;  ///< rows whose most probable class is another one
  double accuracy = 0;
  double examples_per_s = 0;
};

/// Compares two evaluations of the same rows, `other` in `precision` against `reference` in fp32.
/// Throws Error where they are not of the same rows and classes.
PrecisionDifference compare_precision(const Evaluation& reference, const Evaluation& other,
                                      Precision precision);

/// What `diffuse eval --compare-precision` prints: fp32's accuracy line, then a table with a row
/// for each precision.
std::string precision_report(const Evaluation& reference,
                             const std::vector<PrecisionDifference>& differences);

/// The same figures as one JSON object, indented; an infinite error is `null`.
std::string precision_json(const Evaluation& reference,
                           const std::vector<PrecisionDifference>& differences);

}  // namespace diffuse
