#include "diffuse/bench/comparison.hpp"

#include <algorithm>
#include <cmath>

#include "diffuse/base/statistics.hpp"

namespace diffuse {

double Measurement::median_s() const { return median(samples_s); }
double Measurement::mean_s() const { return mean(samples_s); }
double Measurement::deviation_s() const { return sample_standard_deviation(samples_s).value_or(0); }
double Measurement::p95_s() const { return quantile(samples_s, 0.95); }

const Measurement* fastest(const std::vector<Measurement>& measurements) {
  const Measurement* best = nullptr;
  for (const Measurement& measurement : measurements) {
    if (measurement.ran() && (best == nullptr || measurement.median_s() < best->median_s()))
      best = &measurement;
  }
  return best;
}

std::optional<Ratio> time_ratio(const CaseResult& result) {
  const Measurement* ours = fastest(result.ours);
  const Measurement* other = fastest(result.other);
  if (ours == nullptr || other == nullptr) return std::nullopt;
  // Per example: with real texts a batch is the same rows for both, but not the same tokens.
  const double ours_s = ours->mean_s() / ours->examples_a_call;
  const double other_s = other->mean_s() / other->examples_a_call;
  const double value = other_s / ours_s;
  return Ratio{value, value * std::hypot(ours->deviation_s() / ours->mean_s(),
                                         other->deviation_s() / other->mean_s())};
}

std::optional<double> memory_ratio(const CaseResult& result) {
  const auto least = [](const std::vector<Measurement>& measurements) {
    std::optional<double> found;
    for (const Measurement& m : measurements) {
      if (!m.memory || !m.memory->out_of_memory.empty() || m.memory->peak_bytes() <= 0) continue;
      const auto bytes = static_cast<double>(m.memory->peak_bytes());
      found = found ? std::min(*found, bytes) : bytes;
    }
    return found;
  };
  const std::optional<double> ours = least(result.ours);
  const std::optional<double> other = least(result.other);
  if (!ours || !other) return std::nullopt;
  return *other / *ours;
}

}  // namespace diffuse
