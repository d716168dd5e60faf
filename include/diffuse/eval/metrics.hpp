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

struct Metrics {
  std::int64_t count = 0;
  double mean_loss = 0;  ///< cross-entropy, natural logarithm, without label smoothing
  double accuracy = 0;
  Interval accuracy_interval;      ///< Wilson score interval, 95 %
  std::optional<double> macro_f1;  ///< mean over the classes whose F1 is defined
  double ece = 0;                  ///< expected calibration error, 15 equal-width bins
  std::vector<ClassMetrics> classes;
  std::vector<std::int64_t> confusion;  ///< [C, C] row-major, row = gold, column = predicted
};

/// Figures of `probabilities` (float32 [n, C] row-major, rows sum to 1) against `gold` ([n],
/// 0 <= gold < C). Ties go to the lower class index. Throws Error if n is 0 or sizes disagree.
Metrics compute_metrics(std::span<const float> probabilities, std::span<const std::int32_t> gold,
                        std::int64_t class_count);

}  // namespace diffuse
