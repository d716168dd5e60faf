#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "diffuse/base/statistics.hpp"

namespace diffuse {

/// One class's figures. An undefined quotient (denominator 0) is absent, never 0.
struct ClassMetrics {
  std::int64_t support = 0;    ///< rows whose gold label is this class
  std::int64_t predicted = 0;  ///< rows predicted as this class
  std::optional<double> precision;
  std::optional<double> recall;
  std::optional<double> f1;
};

/// The rows whose confidence, the probability of the predicted class, lies in one stretch of
/// [0, 1]. Without rows the two figures are absent, never 0.
struct CalibrationBin {
  std::int64_t count = 0;
  std::optional<double> mean_confidence;
  std::optional<double> accuracy;
};

/// Rows of one gold class that were predicted as one class.
struct ConfusionCell {
  std::int32_t gold = 0;
  std::int32_t predicted = 0;
  std::int64_t rows = 0;
  bool operator==(const ConfusionCell&) const = default;
};

/// What always answering one class would reach, the one that is most frequent in training.
struct Majority {
  std::int32_t label = 0;
  double accuracy = 0;
};

/// What is told of texts that may have several labels, beside what is told of all. A label that the
/// model lacks counts as one that it missed.
struct LabelFigures {
  std::vector<float> thresholds;  ///< [C] probability from which on each label was answered
  std::optional<double> micro_precision{};
  std::optional<double> micro_recall{};
  std::optional<double> micro_f1{};  ///< of all decisions together
  double hamming_loss = 0;           ///< part of the n · C decisions that are wrong
  double ranking_precision = 0;      ///< label ranking average precision, LRAP
  std::int64_t gold_labels = 0;      ///< of all rows
  std::int64_t answered_labels = 0;
  std::int64_t unknown_labels = 0;  ///< of the gold ones, those that the model lacks
};

/// Of texts that may have several labels, "right" means all of a text's labels and no other
/// (`accuracy`), classes count by themselves, and of the calibration each decision is one.
struct Metrics {
  std::int64_t count = 0;
  std::int64_t unknown_class = 0;  ///< rows of a class that the model lacks: wrong, in no matrix
  /// Cross-entropy, natural logarithm, without label smoothing; of several labels the sum of each
  /// one's.
  double mean_loss = 0;
  double accuracy = 0;
  Interval accuracy_interval;      ///< Wilson score interval, 95 %
  std::optional<double> macro_f1;  ///< mean over the classes whose F1 is defined
  double ece = 0;                  ///< `expected_calibration_error` of `calibration`
  std::vector<ClassMetrics> classes;
  std::vector<ConfusionCell> confusion;       ///< with rows, by gold, then predicted class
  std::vector<CalibrationBin> calibration{};  ///< `calibration_bins`
  std::optional<Majority> majority{};         ///< where training's classes are known: `majority_of`
  std::optional<LabelFigures> labels{};       ///< of several labels
};

/// Figures of `probabilities` (float32 [n, C] row-major, rows sum to 1) against `gold` ([n],
/// 0 <= gold < C, or -1 for a row of a class that the model lacks). Ties go to the lower class
/// index. Throws Error if n is 0 or sizes disagree.
Metrics compute_metrics(std::span<const float> probabilities, std::span<const std::int32_t> gold,
                        std::int64_t class_count);

/// Sets precision, recall and F1 of each class, of which `hits` rows were predicted rightly, and
/// `macro_f1`.
void add_class_figures(Metrics& metrics, std::span<const std::int64_t> hits);

/// What always answering the class with the most of `class_rows` (training rows of each class)
/// would reach on the rows of `metrics`; nothing if `class_rows` is of other classes.
std::optional<Majority> majority_of(const Metrics& metrics,
                                    std::span<const std::int64_t> class_rows);

/// Whether the model is right on no more rows than always answering `metrics.majority` would be.
bool no_better_than_majority(const Metrics& metrics);

/// The cells of two different classes, those of most rows first, of equal ones in their order.
std::vector<ConfusionCell> confusions(const Metrics& metrics);

/// Rows of `gold` that were predicted as `predicted`.
std::int64_t confused_rows(const Metrics& metrics, std::size_t gold, std::size_t predicted);

/// The most probable class of each row, [n], of `probabilities` [n, C] row-major (or of anything
/// that grows with them, such as logits); the lowest of equal ones.
std::vector<std::int32_t> predicted_classes(std::span<const float> probabilities,
                                            std::int64_t class_count);

/// The reliability of `probabilities` against `gold` (both as for `compute_metrics`, with the same
/// errors): 15 bins of equal width, the first from confidence 0; a confidence on a border belongs
/// to the bin above, 1 to the last.
std::vector<CalibrationBin> calibration_bins(std::span<const float> probabilities,
                                             std::span<const std::int32_t> gold,
                                             std::int64_t class_count);

/// The mean over the rows of |accuracy - mean confidence| of their bin (M. P. Naeini, G. F. Cooper,
/// M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015).
/// Throws Error if the bins hold no rows.
double expected_calibration_error(std::span<const CalibrationBin> bins);

}  // namespace diffuse
