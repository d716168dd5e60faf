#pragma once

#include <cstdint>
#include <vector>

namespace diffuse {

/// What tells a run that diverges from one that does not: part of its state, so that a resumed run
/// stops where the unbroken one would have.
struct RecentLosses {
  std::vector<double> losses;        ///< of the last updates inside their range, oldest first
  std::int64_t outside_updates = 0;  ///< the last ones in a row, outside of it
  std::int64_t skipped_updates = 0;  ///< the last ones in a row, for float16's overflow
  double last_gradient_norm = 0;     ///< of the last update that was not skipped
};

}  // namespace diffuse
