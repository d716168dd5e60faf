#pragma once

#include <c10/core/Device.h>

#include <array>
#include <chrono>
#include <cstdint>

namespace diffuse {

/// Where one evaluation period's wall-clock time went, in seconds.
struct TimeSplit {
  double data_s = 0;
  double forward_s = 0;
  double backward_s = 0;
  double optimizer_s = 0;
  double evaluation_s = 0;  ///< with writing the checkpoint
};

/// Measures a TimeSplit. On the CPU every update is timed. On a GPU work is queued, so a clock
/// around a call measures nothing, and waiting at each border would slow training down: there one
/// update in `sample_every` is timed with the device synchronised at its borders, and the wall
/// time of all updates is divided in the same proportions.
class StepClock {
 public:
  enum class Phase { data, forward, backward, optimizer };

  StepClock(at::Device device, std::int64_t sample_every);

  /// Starts an update, in phase `data`.
  void begin_update();
  /// Ends the current phase and starts `next`.
  void enter(Phase next);
  void end_update();
  void add_evaluation(double seconds) { evaluation_s_ += seconds; }

  /// Seconds in updates since the clock was made.
  double total_training_s() const { return total_training_s_; }
  /// The split since the last `take`; the clock starts anew.
  TimeSplit take();

 private:
  using Clock = std::chrono::steady_clock;
  void end_phase();

  at::Device device_;
  std::int64_t sample_every_;
  std::int64_t update_ = 0;
  bool sampled_ = false;
  Phase phase_ = Phase::data;
  Clock::time_point update_start_;
  Clock::time_point phase_start_;
  std::array<double, 4> phase_s_{};
  double training_s_ = 0;  // since the last take
  double total_training_s_ = 0;
  double evaluation_s_ = 0;
};

}  // namespace diffuse
