#include "diffuse/eval/temperature.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "diffuse/ngrams/branch_factors.hpp"

namespace diffuse {

double fit_temperature(std::span<const float> logits, std::span<const std::int32_t> gold,
                       std::int64_t classes) {
  constexpr double kHottest = 20;
  // Of many more logits some rows tell as much.
  constexpr std::size_t kMostLogits = std::size_t{1} << 20;
  const auto width = static_cast<std::size_t>(classes);
  const std::size_t stride = (logits.size() + kMostLogits - 1) / kMostLogits;
  Gold some{.classes = classes, .labels = {}};
  std::vector<float> of_some;
  for (std::size_t row = 0; row < gold.size(); row += std::max<std::size_t>(stride, 1)) {
    some.labels.push_back(gold[row]);
    const std::span<const float> own = logits.subspan(row * width, width);
    of_some.insert(of_some.end(), own.begin(), own.end());
  }
  // The sum of two branches of which one is nothing: its factor is what divides.
  const std::vector<float> nothing(of_some.size());
  const double factor = fit_factors(of_some, nothing, some, {.network = 1, .ngrams = 0}).network;
  return 1 / std::clamp(factor, 1 / kHottest, kHottest);
}

std::vector<Answered> answered_at(std::span<const float> logits, std::span<const std::int32_t> gold,
                                  std::int64_t classes, double temperature) {
  const auto width = static_cast<std::size_t>(classes);
  std::vector<Answered> answered(gold.size());
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const std::span<const float> own = logits.subspan(row * width, width);
    const auto best = std::max_element(own.begin(), own.end());
    double sum = 0;
    for (const float logit : own)
      sum += std::exp((static_cast<double>(logit) - static_cast<double>(*best)) / temperature);
    answered[row] = {static_cast<float>(1 / sum), best - own.begin() == gold[row]};
  }
  return answered;
}

void apply_temperature(std::span<float> logits, double temperature) {
  if (temperature == 1) return;
  for (float& logit : logits) logit = static_cast<float>(static_cast<double>(logit) / temperature);
}

}  // namespace diffuse
