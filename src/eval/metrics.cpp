#include "diffuse/eval/metrics.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kCalibrationBins = 15;
// Below the smallest normal float: a probability that underflowed still gives a finite loss.
constexpr double kSmallestProbability = 1e-38;

void check_sizes(std::span<const float> probabilities, std::span<const std::int32_t> gold,
                 std::int64_t class_count) {
  if (gold.empty())
    throw Error("Metrics of no rows are not defined: there is nothing to evaluate.");
  if (class_count < 1 ||
      probabilities.size() != gold.size() * static_cast<std::size_t>(class_count))
    throw Error(fmt::format("Metrics got {} probabilities for {} rows of {} classes.",
                            probabilities.size(), gold.size(), class_count));
  for (std::size_t row = 0; row < gold.size(); ++row)
    if (gold[row] < -1 || gold[row] >= class_count)
      throw Error(fmt::format("Row {} has no label among the {} classes (its label index is {}).",
                              row + 1, class_count, gold[row]));
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    if (!std::isfinite(probabilities[i]))
      throw Error(fmt::format(
          "The model gives row {} a probability that is not a finite number: its weights are "
          "damaged or training diverged.",
          i / static_cast<std::size_t>(class_count) + 1));
}

std::optional<double> quotient(double numerator, double denominator) {
  if (denominator == 0) return std::nullopt;
  return numerator / denominator;
}

/// The most probable class, the lowest of equal ones.
std::size_t most_probable(std::span<const float> probabilities) {
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                  probabilities.begin());
}

/// Of sizes that were checked.
std::vector<CalibrationBin> bins_of(std::span<const float> probabilities,
                                    std::span<const std::int32_t> gold, std::size_t width) {
  struct Sums {
    std::int64_t count = 0;
    std::int64_t correct = 0;
    double confidence = 0;
  };
  std::array<Sums, kCalibrationBins> sums{};
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const auto p = probabilities.subspan(row * width, width);
    const std::size_t predicted = most_probable(p);
    const double confidence = p[predicted];
    const auto place = static_cast<std::size_t>(confidence * kCalibrationBins);
    Sums& bin = sums[std::min(place, kCalibrationBins - 1)];
    ++bin.count;
    bin.correct += std::cmp_equal(predicted, gold[row]);
    bin.confidence += confidence;
  }
  std::vector<CalibrationBin> bins;
  for (const Sums& bin : sums) {
    const auto count = static_cast<double>(bin.count);
    bins.push_back({bin.count, quotient(bin.confidence, count),
                    quotient(static_cast<double>(bin.correct), count)});
  }
  return bins;
}

/// Counts equal pairs of gold and predicted class; `pairs` gets sorted.
std::vector<ConfusionCell> count_cells(std::vector<std::pair<std::int32_t, std::int32_t>>& pairs) {
  std::sort(pairs.begin(), pairs.end());
  std::vector<ConfusionCell> cells;
  for (const auto& [gold, predicted] : pairs) {
    const bool same =
        !cells.empty() && cells.back().gold == gold && cells.back().predicted == predicted;
    if (!same) cells.push_back({gold, predicted, 0});
    ++cells.back().rows;
  }
  return cells;
}

/// `metrics.classes` holds what was predicted of each.
void add_class_metrics(Metrics& metrics) {
  std::vector<std::int64_t> hits(metrics.classes.size());
  for (const ConfusionCell& cell : metrics.confusion) {
    metrics.classes[static_cast<std::size_t>(cell.gold)].support += cell.rows;
    if (cell.gold == cell.predicted) hits[static_cast<std::size_t>(cell.gold)] = cell.rows;
  }
  add_class_figures(metrics, hits);
}

}  // namespace

void add_class_figures(Metrics& metrics, std::span<const std::int64_t> hits) {
  double f1_sum = 0;
  double f1_count = 0;
  for (std::size_t c = 0; c < metrics.classes.size(); ++c) {
    ClassMetrics& figures = metrics.classes[c];
    const auto right = static_cast<double>(hits[c]);
    figures.precision = quotient(right, static_cast<double>(figures.predicted));
    figures.recall = quotient(right, static_cast<double>(figures.support));
    // The same as the harmonic mean, but defined as long as the class occurs on either side.
    figures.f1 = quotient(2 * right, static_cast<double>(figures.predicted + figures.support));
    if (figures.f1) {
      f1_sum += *figures.f1;
      f1_count += 1;
    }
  }
  metrics.macro_f1 = quotient(f1_sum, f1_count);
}

Metrics compute_metrics(std::span<const float> probabilities, std::span<const std::int32_t> gold,
                        std::int64_t class_count) {
  check_sizes(probabilities, gold, class_count);
  Metrics metrics;
  metrics.count = static_cast<std::int64_t>(gold.size());
  metrics.classes.resize(static_cast<std::size_t>(class_count));
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  std::int64_t correct = 0;
  double loss_sum = 0;
  const auto width = static_cast<std::size_t>(class_count);
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const auto p = probabilities.subspan(row * width, width);
    const std::size_t predicted = most_probable(p);
    ++metrics.classes[predicted].predicted;
    if (gold[row] < 0) {  // of a class that the model lacks: wrong, whatever it answers
      ++metrics.unknown_class;
      continue;
    }
    const auto label = static_cast<std::size_t>(gold[row]);
    loss_sum -= std::log(std::max<double>(p[label], kSmallestProbability));
    correct += predicted == label;
    pairs.emplace_back(gold[row], static_cast<std::int32_t>(predicted));
  }
  metrics.confusion = count_cells(pairs);
  const auto count = static_cast<double>(metrics.count);
  metrics.mean_loss = pairs.empty() ? 0 : loss_sum / static_cast<double>(pairs.size());
  metrics.accuracy = static_cast<double>(correct) / count;
  metrics.accuracy_interval = wilson_interval(correct, metrics.count);
  metrics.calibration = bins_of(probabilities, gold, width);
  metrics.ece = expected_calibration_error(metrics.calibration);
  add_class_metrics(metrics);
  return metrics;
}

std::optional<Majority> majority_of(const Metrics& metrics,
                                    std::span<const std::int64_t> class_rows) {
  if (class_rows.empty() || class_rows.size() != metrics.classes.size()) return std::nullopt;
  const auto most = std::max_element(class_rows.begin(), class_rows.end()) - class_rows.begin();
  const auto support = metrics.classes[static_cast<std::size_t>(most)].support;
  return Majority{static_cast<std::int32_t>(most),
                  static_cast<double>(support) / static_cast<double>(metrics.count)};
}

bool no_better_than_majority(const Metrics& metrics) {
  return metrics.majority && metrics.accuracy <= metrics.majority->accuracy;
}

std::vector<ConfusionCell> confusions(const Metrics& metrics) {
  std::vector<ConfusionCell> cells;
  for (const ConfusionCell& cell : metrics.confusion) {
    if (cell.gold != cell.predicted) cells.push_back(cell);
  }
  std::stable_sort(cells.begin(), cells.end(),
                   [](const ConfusionCell& a, const ConfusionCell& b) { return a.rows > b.rows; });
  return cells;
}

std::int64_t confused_rows(const Metrics& metrics, std::size_t gold, std::size_t predicted) {
  const auto place =
      std::pair(static_cast<std::int32_t>(gold), static_cast<std::int32_t>(predicted));
  const auto found = std::lower_bound(metrics.confusion.begin(), metrics.confusion.end(), place,
                                      [](const ConfusionCell& cell, const auto& wanted) {
                                        return std::pair(cell.gold, cell.predicted) < wanted;
                                      });
  const bool there =
      found != metrics.confusion.end() && std::pair(found->gold, found->predicted) == place;
  return there ? found->rows : 0;
}

std::vector<std::int32_t> predicted_classes(std::span<const float> probabilities,
                                            std::int64_t class_count) {
  const auto width = static_cast<std::size_t>(class_count);
  std::vector<std::int32_t> classes;
  classes.reserve(probabilities.size() / width);
  for (std::size_t first = 0; first < probabilities.size(); first += width)
    classes.push_back(
        static_cast<std::int32_t>(most_probable(probabilities.subspan(first, width))));
  return classes;
}

std::vector<CalibrationBin> calibration_bins(std::span<const float> probabilities,
                                             std::span<const std::int32_t> gold,
                                             std::int64_t class_count) {
  check_sizes(probabilities, gold, class_count);
  return bins_of(probabilities, gold, static_cast<std::size_t>(class_count));
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
  double error = 0;
  double rows = 0;
  for (const CalibrationBin& bin : bins) {
    const auto count = static_cast<double>(bin.count);
    rows += count;
    if (bin.accuracy && bin.mean_confidence)
      error += count * std::abs(*bin.accuracy - *bin.mean_confidence);
  }
  if (rows == 0) throw Error("The calibration error of no rows is not defined.");
  return error / rows;
}

}  // namespace diffuse
