#pragma once

#include <chrono>
#include <optional>

namespace diffuse {

/// Wall-clock time that a run has taken, in this process and the ones before it.
class RunClock {
 public:
  explicit RunClock(double elapsed_before_s = 0) : before_s_(elapsed_before_s) {}

  double elapsed_s() const { return before_s_ + here_s(); }

  /// Seconds left when `done_share` (0 to 1) of the run is done, by the pace so far; absent while
  /// there is none.
  std::optional<double> remaining_s(double done_share) const {
    if (done_share <= 0) return std::nullopt;
    return elapsed_s() * (1 - done_share) / done_share;
  }

 private:
  double here_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  double before_s_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace diffuse
