#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace diffuse {

/// An interval of a proportion, both ends in [0, 1].
struct Interval {
  double low = 0;
  double high = 0;
};

/// So many standard errors on both sides leave out 5 % of a normal distribution; on one side, 5 %.
inline constexpr double kTwoSided95 = 1.959964;
inline constexpr double kOneSided95 = 1.644854;

/// Wilson score interval of `z` standard errors, of `successes` out of `count`: E. B. Wilson,
/// "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
/// Throws Error unless 0 <= successes <= count and count > 0.
Interval wilson_interval(std::int64_t successes, std::int64_t count, double z = kTwoSided95);

/// Arithmetic mean. Throws Error if there are no values.
double mean(std::span<const double> values);

/// Standard deviation of a sample (divisor n - 1); nothing for fewer than two values.
std::optional<double> sample_standard_deviation(std::span<const double> values);

/// Middle value, or the mean of the two middle ones. Throws Error if there are no values.
double median(std::span<const double> values);

/// Quantile `q` in [0, 1], linear between neighbours (type 7 of Hyndman and Fan 1996, NumPy's
/// default). Throws Error if there are no values or `q` is outside.
double quantile(std::span<const double> values, double q);

}  // namespace diffuse
