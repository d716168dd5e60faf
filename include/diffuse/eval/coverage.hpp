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

/// Points, and how many rows they are of.
struct Coverage {
  std::int64_t rows = 0;
  std::vector<CoveragePoint> points;
};

/// What can be promised of answers from a point's threshold on.
struct PromisedPoint {
  CoveragePoint point;
  double least = 0;  ///< what their accuracy is above with a confidence of 95 % (Wilson)
};

/// The point of the most coverage of which `accuracy` can be promised; where the rows are too few
/// for that, the one that comes next to it among those that reach `accuracy`; nothing where none
/// does. The best of many points reaches it by luck: their accuracy alone promises too much.
std::optional<PromisedPoint> point_of(const Coverage& coverage, double accuracy);

/// The points nearest to answering 100, 95, 90, 80, 70 and 50 % of the rows.
std::vector<CoveragePoint> points_at_shares(std::span<const CoveragePoint> curve);
/// The table that `eval` prints: accuracy and threshold at some shares of rows answered.
std::string coverage_table(std::span<const CoveragePoint> curve);

/// `{"rows": n, "points": [[threshold, coverage, accuracy], …]}`, the content of a checkpoint's
/// `coverage.json`.
std::string coverage_json(std::span<const CoveragePoint> curve, std::int64_t rows);
/// Reads it; `place` names it in errors. Throws DataError.
Coverage parse_coverage(const std::string& text, const std::string& place);

}  // namespace diffuse
