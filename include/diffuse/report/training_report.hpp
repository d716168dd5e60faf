#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/data/summary.hpp"
#include "diffuse/eval/coverage.hpp"
#include "diffuse/eval/metrics.hpp"
#include "diffuse/report/run_history.hpp"

namespace diffuse {

/// A row that was given another class than its label.
struct ConfidentError {
  std::size_t index = 0;  ///< place among the evaluated rows, from 0
  std::int32_t gold = 0;
  std::int32_t predicted = 0;
  double probability = 0;  ///< of the predicted class
};

/// The at most `most` wrong predictions of highest probability, that first; of equal ones the
/// earlier row. `probabilities` is float32 [n, class_count] row-major, `gold` [n]; ties between
/// classes go to the lower one. Throws Error if sizes disagree.
std::vector<ConfidentError> most_confident_errors(std::span<const float> probabilities,
                                                  std::span<const std::int32_t> gold,
                                                  std::int64_t class_count, std::size_t most);

/// A part of a text, bytes, that spoke for a class (above 0) or against it.
struct TextMark {
  std::size_t begin = 0;
  std::size_t end = 0;
  double contribution = 0;
};

/// A ConfidentError with what a reader wants to see of it.
struct ReportedError {
  std::uint64_t row = 0;  ///< number of the row in its file, from 1
  std::int32_t gold = 0;  ///< -1: of a class that the model lacks
  std::int32_t predicted = 0;
  double probability = 0;
  std::string text;
  std::vector<TextMark>
      marks{};  ///< what spoke for the predicted class, ascending; empty: not known
};

/// What the best checkpoint does on one set of rows.
struct EvaluatedSet {
  std::string name;  ///< "validation" or "test"
  Metrics metrics;
  std::vector<std::string> labels;  ///< [C] class names
  std::vector<ReportedError> errors{};
  std::vector<CoveragePoint> coverage{};  ///< coverage_curve; empty where texts have several labels
};

struct TrainingReport {
  std::string name;  ///< of the run
  RunHistory history;
  std::optional<EvaluatedSet> evaluated{};
  /// Parameter and value, shown as they are.
  std::vector<std::pair<std::string, std::string>> configuration{};
  std::vector<PartSummary> parts{};  ///< of the data; those without rows are not shown
  std::vector<DataNote> notes{};     ///< on the data
  std::int64_t choosing_rows = 0;    ///< validation rows that chose the best checkpoint
};

/// One HTML page, whole in itself: key figures, curves, the times and memory of each epoch, what
/// was read of the data, and for an evaluated set its confusion matrix (of more than 30 classes the
/// most frequent confusions), calibration, the figures of each class and its errors. No scripts,
/// nothing fetched. Names and texts are escaped. Throws Error if the evaluated set's sizes disagree
/// with its labels.
std::string training_report_html(const TrainingReport& report);

}  // namespace diffuse
