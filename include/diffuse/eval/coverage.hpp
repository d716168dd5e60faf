#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace diffuse {

/// Name of the file in a checkpoint that holds the points of the validation rows.
inline constexpr const char* kCoverageFile = "coverage.json";

/// What is right of the answers whose confidence, the probability of the answered class, is at
/// least a threshold.
struct CoveragePoint {
  double threshold = 0;
  double coverage = 0;  ///< part of the rows that are answered
  double accuracy = 0;  ///< of these
};

/// The points of `probabilities` [n, C] against `gold` [n], from the surest rows to all of them: at
/// most `most` of them, evenly by rows, none that tells apart rows of the same confidence. Those of
/// fewer than 20 rows are left out, but for the last: their accuracy is chance. Throws Error
/// without rows.
std::vector<CoveragePoint> coverage_curve(std::span<const float> probabilities,
                                          std::span<const std::int32_t> gold, std::int64_t classes,
                                          std::size_t most = 200);

/// A row's answer: the probability of its class, and whether it is right.
struct Answered {
  float confidence = 0;
  bool right = false;
};
/// The same of rows of which no more is known.
std::vector<CoveragePoint> coverage_curve(std::span<const Answered> answered,
                                          std::size_t most = 200);

/// The point of the most coverage whose accuracy is at least `accuracy`; nothing where there is
/// none.
std::optional<CoveragePoint> point_of(std::span<const CoveragePoint> curve, double accuracy);

/// The table that `eval` prints: accuracy and threshold at some shares of rows answered.
std::string coverage_table(std::span<const CoveragePoint> curve);

/// `{"rows": n, "points": [[threshold, coverage, accuracy], …]}`, the content of a checkpoint's
/// `coverage.json`.
std::string coverage_json(std::span<const CoveragePoint> curve, std::int64_t rows);
/// Reads it; `place` names it in errors. Throws DataError.
std::vector<CoveragePoint> parse_coverage(const std::string& text, const std::string& place);

}  // namespace diffuse
