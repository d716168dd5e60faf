#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "diffuse/base/progress.hpp"
#include "diffuse/report/event_file.hpp"
#include "diffuse/train/metrics_log.hpp"

namespace diffuse {

/// Tells of a run's progress: `metrics.jsonl`, on request TensorBoard event files, the progress
/// line, the log.
class Reporter {
 public:
  Reporter(const std::filesystem::path& run_dir, bool tensorboard);

  /// Once, first of all.
  void report(const StartReport& report);
  /// Every `train.log_every` updates: a line in `metrics.jsonl`, and in the log where no progress
  /// line is shown.
  void report(const TrainReport& report);
  /// Whether `show_update` would show anything now.
  bool wants_update() const { return line_.due(); }
  /// After any update: refreshes the progress line. `live`: figures since the last report.
  void show_update(const TrainReport& live);
  /// Rows evaluated so far.
  void show_evaluation(std::int64_t done, std::int64_t total);
  void report(const PeriodReport& report);
  void report(const DivergedReport& report);
  void report(const DoneReport& report);

 private:
  void add_period(const PeriodReport& report);
  void add_scalar(const char* tag, std::int64_t update, std::optional<double> value);

  MetricsLog metrics_;
  std::filesystem::path events_folder_;  // empty: no TensorBoard
  std::optional<EventFile> events_;      // from the start report on
  ProgressLine line_;
};

}  // namespace diffuse
