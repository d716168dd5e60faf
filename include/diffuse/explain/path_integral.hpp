#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace diffuse {

/// A place on a path from a baseline to what is explained: the function there, and how fast each
/// part changes it.
struct PathPoint {
  double value = 0;
  std::vector<double> slopes;  ///< [parts]; their sum is the function's derivative along the path
};

/// The points at places of [0, 1], in their order.
using Path = std::function<std::vector<PathPoint>(std::span<const double> places)>;

/// What the parts add to a function on its way.
struct PathIntegral {
  double start = 0;           ///< the function at 0
  double end = 0;             ///< at 1
  std::vector<double> parts;  ///< the integrals of the slopes, [parts]
  std::int64_t points = 0;    ///< that were asked for

  /// What the parts leave unexplained: exact integrals add up to end - start.
  double error() const;
};

/// Integrates the slopes by Gauss and Lobatto's rule of five points on pieces of the path, and
/// halves the pieces on which the parts add up worst to what the function gains there, until all
/// pieces together are wrong by at most `tolerance`, and apart by no more than that or a hundredth
/// of the gains, or `most_points` have been asked for (at least 17 are).
PathIntegral integrate_path(const Path& path, double tolerance, std::int64_t most_points);

}  // namespace diffuse
