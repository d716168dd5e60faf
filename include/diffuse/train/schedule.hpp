#pragma once

#include <cstdint>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// The learning rate as a pure function of the update, so that a resumed run needs no state for it.
struct LearningRateSchedule {
  Schedule kind = Schedule::cosine;
  double peak = 1e-3;       ///< the rate after warm-up
  std::int64_t warmup = 0;  ///< updates of warm-up
  /// Where the length is a time: share of it after which warm-up ends at the latest; 0: only by
  /// `warmup`.
  double warmup_share = 0;
  /// Updates of the whole run; 0 where its length is a time.
  std::int64_t total = 1;
};

/// Rate of update `update` (0-based). Warm-up rises linearly and reaches `peak` with its last
/// update; then `constant` stays there, `linear` and `cosine` fall to 0, which they would reach at
/// update `total` (so that no update of the run is wasted on a rate of 0). Where `total` is 0 they
/// follow `elapsed_share`, the part of the run's time that has passed, from its beginning, and the
/// rate is the lower one of theirs and warm-up's.
double learning_rate_at(const LearningRateSchedule& schedule, std::int64_t update,
                        double elapsed_share = 0);

}  // namespace diffuse
