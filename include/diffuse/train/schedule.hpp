#pragma once

#include <cstdint>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// The learning rate as a pure function of the update, so that a resumed run needs no state for it.
struct LearningRateSchedule {
  Schedule kind = Schedule::cosine;
  double peak = 1e-3;       ///< the rate after warm-up
  std::int64_t warmup = 0;  ///< updates of warm-up
  std::int64_t total = 1;   ///< updates of the whole run
};

/// Rate of update `update` (0-based). Warm-up rises linearly and reaches `peak` with its last
/// update; then `constant` stays there, `linear` and `cosine` fall to 0, which they would reach at
/// update `total` (so that no update of the run is wasted on a rate of 0).
double learning_rate_at(const LearningRateSchedule& schedule, std::int64_t update);

}  // namespace diffuse
