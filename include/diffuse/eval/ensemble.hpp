#pragma once

#include <cstdint>
#include <vector>

#include "diffuse/eval/evaluator.hpp"

namespace diffuse {

/// What several models answer together: of each row the mean of their probabilities, and as its
/// logits the logarithms of that mean. `members`: evaluations of the same rows and classes; times
/// are added up, the summary of the data is the first one's. `class_rows` as in EvaluationOptions.
/// Throws Error where there are none, or the rows differ.
Evaluation average_evaluations(const std::vector<Evaluation>& members, std::int64_t classes,
                               const std::vector<std::int64_t>& class_rows);

}  // namespace diffuse
