#pragma once

#include <filesystem>
#include <string>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// The first line of the report: `accuracy  97.21 %  [96.4, 97.9]  n = 2,189`, without a line
/// break. The brackets hold the 95 % Wilson interval in percent. Of texts of several labels it says
/// that all of a text's count.
std::string accuracy_line(const Metrics& metrics);

/// `49.47 %  (always "earn", the most frequent class in training)`, or `n/a` where that class is
/// not known.
std::string majority_text(const Metrics& metrics, const Labels& labels);

/// `0.9012  (precision 0.9210, recall 0.8822)`.
std::string micro_f1_text(const LabelFigures& figures);

/// `n-grams 92.51 %, network 92.25 %  (each by itself; factors 1.15 and 0.61)`.
std::string branches_text(const BranchFigures& figures);

/// What to warn of where `no_better_than_majority` on the rows called `name` ("test"); else empty.
std::string majority_warning(const Metrics& metrics, const Labels& labels, const std::string& name);

/// What `diffuse eval` prints: the accuracy line, the majority's, macro-F1, mean loss, ECE, what
/// was read and throughput, a table of precision, recall, F1 and support by class, and the
/// confusion matrix (a row per gold label, a column per prediction). An undefined quotient is
/// `n/a`. Of texts of several labels in place of the last two a table of the labels, beside
/// micro-F1, Hamming loss and LRAP. Ends with a line break.
std::string evaluation_report(const Evaluation& evaluation, const Labels& labels);

/// The same figures as one JSON object, `indent` 2; an undefined quotient is `null`. Accuracies
/// are fractions, not percent. `confusion` has a list [gold, predicted, rows] for each cell with
/// rows, the classes by their places in `classes`; of several labels it is empty, as `coverage` is,
/// `labels` has the figures of these, and each class its threshold.
std::string evaluation_json(const Evaluation& evaluation, const Labels& labels);

/// Writes `path`, atomically: a header and one line a row, the columns `row` (1-based number of
/// the row among those evaluated, in file order), `gold`, `predicted` (label names) and
/// `probability` (of the predicted class), separated by tabs. A tab in a label name is written as
/// `\t` and a backslash as `\\`. Of several labels each of the three holds all of them, with
/// data.label_separator between. A gold label that the model lacks is kUnknownGold (data/gold.hpp).
/// Throws SystemError.
void write_predictions(const std::filesystem::path& path, const Evaluation& evaluation,
                       const Labels& labels);

}  // namespace diffuse
