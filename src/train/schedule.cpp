#include "diffuse/train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace diffuse {

double learning_rate_at(const LearningRateSchedule& schedule, std::int64_t update,
                        double elapsed_share) {
  if (update < schedule.warmup)
    return schedule.peak * static_cast<double>(update + 1) / static_cast<double>(schedule.warmup);
  const auto decay_length =
      static_cast<double>(std::max<std::int64_t>(schedule.total - schedule.warmup, 1));
  const double progress =
      std::clamp(schedule.total == 0 ? elapsed_share
                                     : static_cast<double>(update - schedule.warmup) / decay_length,
                 0.0, 1.0);
  switch (schedule.kind) {
    case Schedule::constant:
      return schedule.peak;
    case Schedule::linear:
      return schedule.peak * (1 - progress);
    case Schedule::cosine:
      return schedule.peak * 0.5 * (1 + std::cos(std::numbers::pi * progress));
  }
  return schedule.peak;
}

}  // namespace diffuse
