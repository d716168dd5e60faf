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

struct Metrics {
  std::int64_t count = 0;
  std::int64_t unknown_class = 0;  ///< rows of a class that the model lacks: wrong, in no matrix
  double mean_loss = 0;            ///< cross-entropy, natural logarithm, without label smoothing
  double accuracy = 0;
  Interval accuracy_interval;      ///< Wilson score interval, 95 %
  std::optional<double> macro_f1;  ///< mean over the classes whose F1 is defined
  double ece = 0;                  ///< `expected_calibration_error` of `calibration`
  std::vector<ClassMetrics> classes;
  std::vector<std::int64_t> confusion;        ///< [C, C] row-major, row = gold, column = predicted
  std::vector<CalibrationBin> calibration{};  ///< `calibration_bins`
};

/// Figures of `probabilities` (float32 [n, C] row-major, rows sum to 1) against `gold` ([n],
/// 0 <= gold < C, or -1 for a row of a class that the model lacks). Ties go to the lower class
/// index. Throws Error if n is 0 or sizes disagree.
Metrics compute_metrics(std::span<const float> probabilities, std::span<const std::int32_t> gold,
                        std::int64_t class_count);

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
