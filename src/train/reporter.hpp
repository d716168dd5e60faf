#pragma once

#include <chrono>
#include <filesystem>

#include "diffuse/base/progress.hpp"
#include "diffuse/train/metrics_log.hpp"

namespace diffuse {

/// Tells of a run's progress: `metrics.jsonl`, the progress line, the log.
class Reporter {
 public:
  Reporter(const std::filesystem::path& run_dir, std::int64_t total_updates);

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
  void report(const DoneReport& report);

  /// Seconds since the run began.
  double elapsed_s() const;

 private:
  std::string progress_text(const TrainReport& report) const;

  MetricsLog metrics_;
  ProgressLine line_;
  std::int64_t total_updates_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace diffuse
