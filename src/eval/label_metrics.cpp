#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/eval/label_answers.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kDecisionBins = 15;

std::optional<double> part(double some, double all) {
  if (all == 0) return std::nullopt;
  return some / all;
}

void check_label_sizes(std::span<const float> logits, std::span<const float> probabilities,
                       const Gold& gold, std::span<const float> thresholds) {
  if (gold.size() == 0)
    throw Error("Metrics of no rows are not defined: there is nothing to evaluate.");
  if (!gold.several || std::ssize(thresholds) != gold.classes ||
      probabilities.size() != gold.has.size() || logits.size() != gold.has.size())
    throw Error(fmt::format(
        "Metrics of several labels got {} logits, {} probabilities and {} thresholds "
        "for {} rows of {} labels.",
        logits.size(), probabilities.size(), thresholds.size(), gold.size(), gold.classes));
  const auto broken = std::find_if_not(probabilities.begin(), probabilities.end(),
                                       [](float p) { return std::isfinite(p); });
  if (broken != probabilities.end())
    throw Error(fmt::format(
        "The model gives row {} a probability that is not a finite number: its weights are "
        "damaged or training diverged.",
        (broken - probabilities.begin()) / gold.classes + 1));
}

/// Of logits: the probability of one beyond 17.3 is 1 as a float, and 1 - p no longer tells what it
/// costs to be that sure of a label that is not there.
double cross_entropy(std::span<const float> logits, std::span<const std::uint8_t> has) {
  // One that overflowed still gives a finite loss.
  constexpr auto kLargest = static_cast<double>(std::numeric_limits<float>::max());
  double loss = 0;
  for (std::size_t c = 0; c < has.size(); ++c) {
    const double logit = std::clamp(static_cast<double>(logits[c]), -kLargest, kLargest);
    const double wrong = has[c] != 0 ? -logit : logit;  // that of the other answer
    loss += std::max(wrong, 0.0) + std::log1p(std::exp(-std::abs(wrong)));
  }
  return loss;
}

/// Mean over the row's labels of: which part of the labels that are at least as probable is the
/// row's. 1 for a row of no label, or of all.
double ranking_precision(std::span<const float> probabilities, std::span<const std::uint8_t> has) {
  std::vector<std::size_t> order(has.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
  double sum = 0;
  double labels = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    double tied = 0;
    for (; end < order.size() && probabilities[order[end]] == probabilities[order[begin]]; ++end)
      tied += has[order[end]] != 0 ? 1 : 0;
    labels += tied;
    sum += tied * labels / static_cast<double>(end);
  }
  return labels == 0 || labels == static_cast<double>(has.size()) ? 1 : sum / labels;
}

std::vector<CalibrationBin> decision_bins(std::span<const float> probabilities,
                                          std::span<const std::uint8_t> has) {
  struct Sums {
    double count = 0;
    double labels = 0;
    double probability = 0;
  };
  std::array<Sums, kDecisionBins> sums{};
  for (std::size_t i = 0; i < has.size(); ++i) {
    const auto p = static_cast<double>(probabilities[i]);
    Sums& bin = sums[std::min(static_cast<std::size_t>(p * kDecisionBins), kDecisionBins - 1)];
    bin.count += 1;
    bin.labels += has[i] != 0 ? 1 : 0;
    bin.probability += p;
  }
  std::vector<CalibrationBin> made;
  for (const Sums& bin : sums)
    made.push_back({static_cast<std::int64_t>(bin.count), part(bin.probability, bin.count),
                    part(bin.labels, bin.count)});
  return made;
}

}  // namespace

Metrics compute_label_metrics(std::span<const float> logits, std::span<const float> probabilities,
                              const Gold& gold, std::span<const float> thresholds) {
  check_label_sizes(logits, probabilities, gold, thresholds);
  const auto width = static_cast<std::size_t>(gold.classes);
  const std::vector<std::uint8_t> answers = answered_labels(probabilities, thresholds);
  Metrics metrics;
  metrics.count = static_cast<std::int64_t>(gold.size());
  metrics.classes.resize(width);
  LabelFigures figures{.thresholds = {thresholds.begin(), thresholds.end()}};
  std::vector<std::int64_t> hits(width);
  std::int64_t exact = 0;
  std::int64_t wrong = 0;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const std::span<const std::uint8_t> has = gold.row(row);
    const std::span<const float> own = probabilities.subspan(row * width, width);
    std::int64_t missed = 0;
    for (std::size_t c = 0; c < width; ++c) {
      const std::uint8_t answer = answers[row * width + c];
      metrics.classes[c].support += has[c];
      metrics.classes[c].predicted += answer;
      hits[c] += has[c] != 0 && answer != 0 ? 1 : 0;
      missed += has[c] != answer ? 1 : 0;
    }
    wrong += missed;
    exact += missed == 0 && gold.unknown[row] == 0 ? 1 : 0;
    metrics.unknown_class += gold.unknown[row] > 0 ? 1 : 0;
    figures.unknown_labels += gold.unknown[row];
    metrics.mean_loss += cross_entropy(logits.subspan(row * width, width), has);
    figures.ranking_precision += ranking_precision(own, has);
  }
  const auto count = static_cast<double>(metrics.count);
  metrics.mean_loss /= count;
  figures.ranking_precision /= count;
  metrics.accuracy = static_cast<double>(exact) / count;
  metrics.accuracy_interval = wilson_interval(exact, metrics.count);
  metrics.calibration = decision_bins(probabilities, gold.has);
  metrics.ece = expected_calibration_error(metrics.calibration);
  add_class_figures(metrics, hits);
  figures.gold_labels = figures.unknown_labels;
  for (const ClassMetrics& label : metrics.classes) {
    figures.gold_labels += label.support;
    figures.answered_labels += label.predicted;
  }
  const auto all_hits =
      static_cast<double>(std::accumulate(hits.begin(), hits.end(), std::int64_t{0}));
  const auto labels = static_cast<double>(figures.gold_labels);
  const auto answered = static_cast<double>(figures.answered_labels);
  figures.micro_precision = part(all_hits, answered);
  figures.micro_recall = part(all_hits, labels);
  figures.micro_f1 = part(2 * all_hits, answered + labels);
  figures.hamming_loss = static_cast<double>(wrong) / (count * static_cast<double>(width));
  metrics.labels = std::move(figures);
  return metrics;
}

}  // namespace diffuse
