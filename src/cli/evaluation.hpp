#pragma once

#include <string>

#include "diffuse/eval/evaluator.hpp"

namespace diffuse::cli {

/// `evaluate` with a progress line on a terminal. `what` names the rows in it. Throws Stopped when
/// a caught signal arrives.
Evaluation evaluate_with_progress(Classifier& classifier, const DatasetView& view,
                                  EvaluationOptions options, const std::string& what);

}  // namespace diffuse::cli
