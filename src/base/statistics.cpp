#include "diffuse/base/statistics.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
Interval wilson_interval(std::int64_t successes, std::int64_t count, double z) {
  if (count <= 0 || successes < 0 || successes > count) {
    throw Error(
        fmt::format("No interval for {} successes of {}: expected 0 <= successes <= count, "
                    "count > 0.",
                    successes, count));
  }
  const double n = static_cast<double>(count);
  const double p = static_cast<double>(successes) / n;
  const double z2 = z * z;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  // Rounding must not push an end past what a proportion can be, nor past the proportion itself.
  return {std::clamp(centre - half, 0.0, p), std::clamp(centre + half, p, 1.0)};
}

double mean(std::span<const double> values) {
  if (values.empty()) throw Error("The mean of no values is undefined.");
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::optional<double> sample_standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

double quantile(std::span<const double> values, double q) {
  if (values.empty()) throw Error("A quantile of no values is undefined.");
  if (!(q >= 0 && q <= 1)) throw Error(fmt::format("Quantile {} is outside 0 to 1.", q));
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace diffuse
