#pragma once

#include <optional>

#include "diffuse/data/dataset.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/eval/precision_comparison.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse::cli {

/// What compare_precision would say of a precision, `options.precision` (asked for as `wanted`), in
/// which logits are not finite, so that `evaluate` gives no figures: their error is infinite, and a
/// row with one has no answer, which counts as wrong and as another one than fp32's. Nothing where
/// all are finite. Throws Stopped when a caught signal arrives.
std::optional<PrecisionDifference> compare_overflowed(const Evaluation& reference,
                                                      Classifier& classifier,
                                                      const DatasetView& view,
                                                      const EvaluationOptions& options,
                                                      Precision wanted);

}  // namespace diffuse::cli
