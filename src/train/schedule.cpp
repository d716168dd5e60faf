#include "diffuse/train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace diffuse {

namespace {

/// From 1 to 0 over `progress`.
double decay(Schedule kind, double progress) {
  switch (kind) {
    case Schedule::constant:
      return 1;
    case Schedule::linear:
      return 1 - progress;
    case Schedule::cosine:
      return 0.5 * (1 + std::cos(std::numbers::pi * progress));
  }
  return 1;
}

double timed_rate(const LearningRateSchedule& schedule, std::int64_t update, double share) {
  double rise = 1;
  if (schedule.warmup > 0)
    rise = static_cast<double>(update + 1) / static_cast<double>(schedule.warmup);
  if (schedule.warmup_share > 0) rise = std::max(rise, share / schedule.warmup_share);
  return schedule.peak * std::min(rise, decay(schedule.kind, std::clamp(share, 0.0, 1.0)));
}

}  // namespace

double learning_rate_at(const LearningRateSchedule& schedule, std::int64_t update,
                        double elapsed_share) {
  if (schedule.total == 0) return timed_rate(schedule, update, elapsed_share);
  if (update < schedule.warmup)
    return schedule.peak * static_cast<double>(update + 1) / static_cast<double>(schedule.warmup);
  const auto decay_length =
      static_cast<double>(std::max<std::int64_t>(schedule.total - schedule.warmup, 1));
  const double progress =
      std::clamp(static_cast<double>(update - schedule.warmup) / decay_length, 0.0, 1.0);
  return schedule.peak * decay(schedule.kind, progress);
}

}  // namespace diffuse
