#pragma once

#include <c10/core/Device.h>

#include <array>
#include <cstdint>
#include <functional>

#include "diffuse/report/metric_lines.hpp"

namespace diffuse {

/// Measures a period's HistoryTime. On the CPU every update is timed. On a GPU work is queued, so a
/// clock around a call measures nothing, and waiting at each border would slow training down: there
/// one update in `sample_every`, and at least one of each period, is timed with the device
/// synchronised at its borders, and the time of all updates is divided in the same proportions.
class StepClock {
 public:
  /// `forward_backward`: both in one, which cannot be told apart.
  enum class Phase { data, forward, backward, forward_backward, optimizer };

  /// What it reads, in seconds, and how it waits for the device: tests have a time of their own.
  struct Source {
    std::function<double()> now_s;
    std::function<void()> synchronize;
    std::function<void()> on_phase{};  ///< at the beginning of each but the first; may throw
  };

  StepClock(at::Device device, std::int64_t sample_every);
  StepClock(Source source, std::int64_t sample_every);

  /// Starts an update, in phase `data`.
  void begin_update();
  /// Ends the current phase and starts `next`.
  void enter(Phase next);
  void end_update();
  /// Runs `work`, which waits for updates that are still queued: their time, too.
  void wait_for_updates(const std::function<void()>& work);
  void add_evaluation(double seconds) { evaluation_s_ += seconds; }

  /// Seconds in updates since the clock was made.
  double total_training_s() const { return total_training_s_; }
  /// The split since the last `take`, whose phases add up to the time of the updates; the clock
  /// starts anew. A forward or backward phase that was not entered is absent.
  HistoryTime take();

 private:
  bool is_sampled() const;
  void end_phase();
  void add_training(double seconds);

  Source source_;
  std::int64_t sample_every_;
  std::int64_t update_ = 0;  // of the period, from 1
  bool sampled_ = false;
  Phase phase_ = Phase::data;
  double update_start_s_ = 0;
  double phase_start_s_ = 0;
  std::array<double, 5> phase_s_{};
  double training_s_ = 0;  // since the last take
  double total_training_s_ = 0;
  double evaluation_s_ = 0;
};

}  // namespace diffuse
