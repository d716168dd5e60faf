#include "diffuse/ops/adamw_clock.hpp"

#include <cmath>

namespace diffuse {

static_assert(sizeof(AdamWClock) % 8 == 0);

void AdamWClock::note(double rate, double beta1, double beta2) {
  ++update;
  const std::int32_t at = update % kRemembered;
  learning_rate[at] = static_cast<float>(rate);
  inverse_correction1[at] = static_cast<float>(1.0 / (1.0 - std::pow(beta1, update)));
  inverse_root_correction2[at] = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(beta2, update)));
}

}  // namespace diffuse
