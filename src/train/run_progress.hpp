#pragma once

#include <optional>

#include "diffuse/base/system.hpp"
#include "diffuse/train/plan.hpp"
#include "diffuse/train/training_state.hpp"

namespace diffuse {

/// How far a run has come by its plan, in updates or in wall-clock time, and whether that is the
/// end.
class RunProgress {
 public:
  RunProgress(const TrainingPlan& plan, std::int64_t patience) : plan_(plan), patience_(patience) {}

  /// Goes on where earlier processes took `elapsed_s`.
  void resume(double elapsed_s);
  /// Seconds of the run in this process and the ones before it.
  double elapsed_s() const;
  /// Of the time that the run may take, 0 to 1 and beyond; 0 where it ends by its updates.
  double elapsed_share() const;
  /// Of the whole run, 0 to 1.
  double done_share(std::int64_t update) const;
  /// Seconds left by the pace so far; nothing while there is none.
  std::optional<double> remaining_s(std::int64_t update) const;

  bool patience_ran_out(const TrainingState& state) const;
  /// Whether `state` is the run's last one, by now.
  bool finished(const TrainingState& state) const;

 private:
  const TrainingPlan& plan_;
  std::int64_t patience_;  // evaluations without a gain; 0: any number
  double before_s_ = 0;
  double start_s_ = steady_now_s();
};

}  // namespace diffuse
