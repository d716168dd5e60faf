#include "diffuse/eval/temperature.hpp"

#include <algorithm>
#include <vector>

#include "diffuse/ngrams/branch_factors.hpp"

namespace diffuse {

double fit_temperature(std::span<const float> logits, std::span<const std::int32_t> gold,
                       std::int64_t classes) {
  constexpr double kHottest = 20;
  // The sum of two branches of which one is nothing: its factor is what divides.
  const std::vector<float> nothing(logits.size());
  const double factor =
      fit_factors(logits, nothing, gold, classes, {.network = 1, .ngrams = 0}).network;
  return 1 / std::clamp(factor, 1 / kHottest, kHottest);
}

void apply_temperature(std::span<float> logits, double temperature) {
  if (temperature == 1) return;
  for (float& logit : logits) logit = static_cast<float>(static_cast<double>(logit) / temperature);
}

}  // namespace diffuse
