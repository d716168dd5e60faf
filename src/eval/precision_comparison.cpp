#include "diffuse/eval/precision_comparison.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/eval/report.hpp"

namespace diffuse {
namespace {

double error_of(float reference, float other) {
  const double error = std::abs(static_cast<double>(other) - static_cast<double>(reference));
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

std::string error_text(double error) {
  return std::isfinite(error) ? fmt::format("{:.2g}", error) : "overflow";
}

nlohmann::json error_json(double error) {
  return std::isfinite(error) ? nlohmann::json(error) : nlohmann::json();
}

}  // namespace

PrecisionDifference compare_precision(const Evaluation& reference, const Evaluation& other,
                                      Precision precision) {
  const std::size_t rows = reference.gold.size();
  if (rows == 0 || other.rows != reference.rows || other.logits.size() != reference.logits.size())
    throw Error("Only evaluations of the same rows and classes can be compared.");
  const auto class_count = static_cast<std::int64_t>(reference.logits.size() / rows);
  PrecisionDifference difference{.precision = precision,
                                 .accuracy = other.metrics.accuracy,
                                 .examples_per_s = other.examples_per_s};
  double sum = 0;
  for (std::size_t i = 0; i < reference.logits.size(); ++i) {
    const double error = error_of(reference.logits[i], other.logits[i]);
    difference.largest_logit_error = std::max(difference.largest_logit_error, error);
    sum += error;
  }
  difference.mean_logit_error = sum / static_cast<double>(reference.logits.size());
  if (reference.several && other.several) {
    const std::vector<std::uint8_t>& here = reference.several->answers;
    const std::vector<std::uint8_t>& there = other.several->answers;
    const auto width = static_cast<std::ptrdiff_t>(class_count);
    for (auto row = here.begin(), own = there.begin(); row != here.end();
         row += width, own += width)
      difference.flipped_labels += !std::equal(row, row + width, own);
    return difference;
  }
  const std::vector<std::int32_t> before = predicted_classes(reference.logits, class_count);
  const std::vector<std::int32_t> after = predicted_classes(other.logits, class_count);
  for (std::size_t row = 0; row < rows; ++row)
    difference.flipped_labels += before[row] != after[row];
  return difference;
}

std::string precision_report(const Evaluation& reference,
                             const std::vector<PrecisionDifference>& differences) {
  using Align = Table::Align;
  const auto accuracy = [](double value) { return fmt::format("{:.2f} %", 100 * value); };
  const auto speed = [](double value) { return format_count(static_cast<long long>(value)); };
  Table table({"precision", "largest logit error", "mean logit error", "flipped labels", "accuracy",
               "examples/s"},
              {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right});
  table.add_row(
      {"fp32", "", "", "", accuracy(reference.metrics.accuracy), speed(reference.examples_per_s)});
  for (const PrecisionDifference& d : differences) {
    table.add_row({std::string(enum_name(d.precision)), error_text(d.largest_logit_error),
                   error_text(d.mean_logit_error),
                   fmt::format("{} of {}", format_count(d.flipped_labels),
                               format_count(reference.metrics.count)),
                   accuracy(d.accuracy), speed(d.examples_per_s)});
  }
  return accuracy_line(reference.metrics) + "  in fp32\n\n" + table.text();
}

std::string precision_json(const Evaluation& reference,
                           const std::vector<PrecisionDifference>& differences) {
  nlohmann::ordered_json json;
  json["count"] = reference.metrics.count;
  json["reference"] = {{"precision", "fp32"},
                       {"accuracy", reference.metrics.accuracy},
                       {"examples_per_s", reference.examples_per_s}};
  json["precisions"] = nlohmann::ordered_json::array();
  for (const PrecisionDifference& d : differences) {
    nlohmann::ordered_json entry;
    entry["precision"] = enum_name(d.precision);
    entry["largest_logit_error"] = error_json(d.largest_logit_error);
    entry["mean_logit_error"] = error_json(d.mean_logit_error);
    entry["flipped_labels"] = d.flipped_labels;
    entry["accuracy"] = d.accuracy;
    entry["examples_per_s"] = d.examples_per_s;
    json["precisions"].push_back(std::move(entry));
  }
  return json.dump(2);
}

}  // namespace diffuse
