#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "diffuse/base/progress.hpp"
#include "diffuse/eval/metrics.hpp"
#include "diffuse/report/event_file.hpp"
#include "diffuse/train/metrics_log.hpp"

namespace diffuse {

/// Tells of a run's progress: `metrics.jsonl`, on request TensorBoard event files, the progress
/// line, the log. A file that cannot be written is a warning, once: no figure is worth a run.
class Reporter {
 public:
  Reporter(const std::filesystem::path& run_dir, bool tensorboard);

  /// Once, first of all.
  void report(const HistoryStart& line);
  /// Every `train.log_every` updates: a line in `metrics.jsonl`, and in the log where no progress
  /// line is shown. `done_share`: of the whole run, 0 to 1.
  void report(const HistoryTrain& line, double done_share);
  /// Whether `show_update` would show anything now.
  bool wants_update() const { return line_.due(); }
  /// After any update: refreshes the progress line. `live`: figures since the last report.
  void show_update(const HistoryTrain& live, double done_share);
  /// Rows evaluated so far.
  void show_evaluation(std::int64_t done, std::int64_t total);
  /// `validation`: all figures of the evaluation; null where there was none.
  void report(const HistoryEpoch& line, const Metrics* validation);
  void report(const HistoryDivergence& line);
  void report(const HistoryDone& line);

 private:
  template <class Line>
  void log_line(const Line& line);
  void open_events(std::int64_t update);
  void add_epoch(const HistoryEpoch& line);
  void add_scalar(const char* tag, std::int64_t update, std::optional<double> value);

  std::optional<MetricsLog> metrics_;    // none where it could not be opened
  std::filesystem::path events_folder_;  // empty: no TensorBoard
  std::optional<EventFile> events_;      // from the start report on, while it can be written
  ProgressLine line_;
};

}  // namespace diffuse
