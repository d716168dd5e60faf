#include "diffuse/base/significance.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/statistics.hpp"

namespace diffuse {
namespace {

/// The continued fraction of the incomplete beta function, by Lentz's method; converges fast for
/// x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr int kMostTerms = 10000;
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double value = d;
  for (int m = 1; m <= kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    value *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return value;
}

/// I_x(a, b), the regularised incomplete beta function, for 0 <= x <= 1.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                   : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/// The probability that k of n fair coins show heads.
double coins(std::int64_t n, std::int64_t k) {
  const auto log_factorial = [](std::int64_t x) { return std::lgamma(static_cast<double>(x) + 1); };
  return std::exp(log_factorial(n) - log_factorial(k) - log_factorial(n - k) -
                  static_cast<double>(n) * std::log(2.0));
}

/// `sums` [s], probabilities of sums, after n coins that are worth `value` or nothing.
std::vector<double> add_coins(const std::vector<double>& sums, std::int64_t value, std::int64_t n) {
  // Further out a binomial's terms are smaller than any double.
  const auto reach = static_cast<std::int64_t>(20 * std::sqrt(static_cast<double>(n)) + 1);
  std::vector<double> result(sums.size() + static_cast<std::size_t>(value * n));
  for (std::int64_t k = std::max<std::int64_t>(0, n / 2 - reach);
       k <= std::min(n, n / 2 + 1 + reach); ++k) {
    const double share = coins(n, k);
    const auto shift = static_cast<std::size_t>(value * k);
    for (std::size_t i = 0; i < sums.size(); ++i) result[i + shift] += share * sums[i];
  }
  return result;
}

}  // namespace

std::optional<double> paired_t_p_value(std::span<const double> differences) {
  const auto deviation = sample_standard_deviation(differences);
  if (!deviation) return std::nullopt;
  const double centre = mean(differences);
  // Equal but for rounding.
  if (*deviation <= 1e-12 * std::abs(centre) || *deviation == 0)
    return centre == 0 ? std::optional(1.0) : std::nullopt;
  const auto n = static_cast<double>(differences.size());
  const double t = centre / (*deviation / std::sqrt(n));
  const double freedom = n - 1;
  return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double sign_flip_p_value(std::span<const std::int64_t> differences) {
  std::map<std::int64_t, std::int64_t> sizes;  // how many there are of each size
  std::int64_t sum = 0;
  std::int64_t all = 0;
  for (const std::int64_t difference : differences) {
    sum += difference;
    all += std::abs(difference);
    if (difference != 0) ++sizes[std::abs(difference)];
  }
  if (sum == 0) return 1;
  std::vector<double> sums = {1};  // of those that are positive
  for (const auto& [size, count] : sizes) sums = add_coins(sums, size, count);
  // A sum of `all - 2 lost`: by symmetry those at the lower end, twice.
  double tail = 0;
  for (std::int64_t lost = 0; 2 * lost <= all - std::abs(sum); ++lost)
    tail += sums[static_cast<std::size_t>(lost)];
  return std::min(1.0, 2 * tail);
}

std::vector<double> holm_corrected(std::span<const double> p_values, std::int64_t tests) {
  if (tests < std::ssize(p_values))
    throw Error(fmt::format("{} p values cannot be some of {} tests.", p_values.size(), tests));
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
  std::vector<double> corrected(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const auto left = static_cast<double>(tests) - static_cast<double>(rank);
    largest = std::max(largest, std::min(1.0, left * p_values[order[rank]]));
    corrected[order[rank]] = largest;
  }
  return corrected;
}

}  // namespace diffuse
