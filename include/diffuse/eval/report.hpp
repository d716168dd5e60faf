#pragma once

#include <filesystem>
#include <string>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// What stands in a file of predictions for the gold label of a class that the model lacks.
inline constexpr const char* kUnknownGold = "#unknown";

/// The first line of the report: `accuracy  97.21 %  [96.4, 97.9]  n = 2,189`, without a line
/// break. The brackets hold the 95 % Wilson interval in percent.
std::string accuracy_line(const Metrics& metrics);

/// What `diffuse eval` prints: the accuracy line, macro-F1, mean loss, ECE and throughput, a table
/// of precision, recall, F1 and support by class, and the confusion matrix (a row per gold label, a
/// column per prediction). An undefined quotient is `n/a`. Ends with a line break.
std::string evaluation_report(const Evaluation& evaluation, const Labels& labels);

/// The same figures as one JSON object, `indent` 2; an undefined quotient is `null`. Accuracies
/// are fractions, not percent.
std::string evaluation_json(const Evaluation& evaluation, const Labels& labels);

/// Writes `path`, atomically: a header and one line a row, the columns `row` (1-based number of
/// the row among those evaluated, in file order), `gold`, `predicted` (label names) and
/// `probability` (of the predicted class), separated by tabs. A tab in a label name is written as
/// `\t` and a backslash as `\\`. Throws SystemError.
void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation,
                       const Labels& labels);

}  // namespace diffuse
