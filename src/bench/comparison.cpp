#include "diffuse/bench/comparison.hpp"

#include <algorithm>
#include <cmath>

#include "diffuse/base/statistics.hpp"

namespace diffuse {

double Measurement::median_s() const { return median(samples_s); }
double Measurement::mean_s() const { return mean(samples_s); }
double Measurement::deviation_s() const { return sample_standard_deviation(samples_s).value_or(0); }
double Measurement::p95_s() const { return quantile(samples_s, 0.95); }

const Measurement* fastest(const ModelResult& model) {
  const Measurement* best = nullptr;
  for (const Measurement& measurement : model.measurements) {
    if (measurement.ran() && (best == nullptr || measurement.median_s() < best->median_s()))
      best = &measurement;
  }
  return best;
}

std::optional<double> least_memory_bytes(const ModelResult& model) {
  std::optional<double> found;
  for (const Measurement& m : model.measurements) {
    if (!m.memory || !m.memory->out_of_memory.empty() || m.memory->peak_bytes() <= 0) continue;
    const auto bytes = static_cast<double>(m.memory->peak_bytes());
    found = found ? std::min(*found, bytes) : bytes;
  }
  return found;
}

std::optional<Ratio> time_ratio(const ModelResult& ours, const ModelResult& other) {
  const Measurement* const a = fastest(ours);
  const Measurement* const b = fastest(other);
  if (a == nullptr || b == nullptr) return std::nullopt;
  // Per example: with real texts a batch is the same rows for all, but not the same tokens.
  const double ours_s = a->mean_s() / a->examples_a_call;
  const double other_s = b->mean_s() / b->examples_a_call;
  const double value = other_s / ours_s;
  return Ratio{value,
               value * std::hypot(a->deviation_s() / a->mean_s(), b->deviation_s() / b->mean_s())};
}

std::optional<double> memory_ratio(const ModelResult& ours, const ModelResult& other) {
  const std::optional<double> a = least_memory_bytes(ours);
  const std::optional<double> b = least_memory_bytes(other);
  if (!a || !b) return std::nullopt;
  return *b / *a;
}

}  // namespace diffuse
