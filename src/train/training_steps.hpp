#pragma once

#include <filesystem>
#include <optional>

#include "batch_loader.hpp"
#include "diffuse/data/loading.hpp"
#include "diffuse/report/metric_lines.hpp"
#include "diffuse/train/schedule.hpp"
#include "diffuse/train/time_split.hpp"
#include "reporter.hpp"
#include "run_progress.hpp"
#include "running_figures.hpp"
#include "updater.hpp"

namespace diffuse {

/// Thrown where an update shows that training has diverged.
struct Diverged {
  Divergence divergence;
};

/// The updates of a run, one after the other, with their time and their figures until those are
/// reported: since the last line in the log (the window) and since the last evaluation (the
/// period). All that fetches figures throws Diverged.
class TrainingSteps {
 public:
  /// The classifier must be on its device already. All but `precision` must outlive the steps.
  TrainingSteps(const Config& config, const TrainingData& data, Classifier& classifier,
                Precision precision, const LearningRateSchedule& schedule,
                const RunProgress& progress, Reporter& reporter);

  /// Goes on from the checkpoint `folder`, whose state is `state`.
  void resume(const std::filesystem::path& folder, const TrainingState& state);
  /// Warns where the learning rate starts anew with that: for when there is an update to come.
  void tell_learning_rate() const;

  /// Does the next update, moves `state` behind it and reports a window that is full.
  void next(TrainingState& state);
  /// Fetches the figures of all updates, waiting for the device.
  void fetch();
  /// Reports what has come since the last report, if anything.
  void report_window();

  /// Begins a period, the time of which `clock` keeps by itself.
  void clear_period();
  /// Updates of the period that this process did.
  std::int64_t period_updates() const { return period_updates_; }
  /// With a fraction.
  double epochs_done() const { return loader_.current().epochs_done; }

  const RunningFigures& figures() const { return figures_; }
  StepClock& clock() { return clock_; }
  Updater& updater() { return updater_; }

 private:
  std::optional<HistoryTrain> window_line();
  void show();

  const Config& config_;
  at::Device device_;
  const LearningRateSchedule& schedule_;
  LearningRateSchedule before_;  // of the run that is gone on with
  Updater updater_;
  BatchLoader loader_;
  const RunProgress& progress_;
  Reporter& reporter_;
  StepClock clock_;
  RunningFigures figures_;
  std::int64_t period_updates_ = 0;
  std::int64_t update_ = 0;  // the last one, and its
  double learning_rate_ = 0;
  double window_start_s_ = 0;
};

}  // namespace diffuse
