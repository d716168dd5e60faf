#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/device/device.hpp"
#include "diffuse/eval/metrics.hpp"
#include "diffuse/train/baseline_figures.hpp"
#include "diffuse/train/time_split.hpp"

namespace diffuse {

/// One line of type `start`, for each process that works on the run.
struct StartReport {
  std::int64_t update = 0;  ///< updates done before; above 0 when the run is gone on with
  std::optional<std::int64_t> total_updates{};  ///< absent for a run measured in minutes
  std::int64_t updates_per_epoch = 0;
  std::string device{};
  std::string precision{};
  int threads = 0;
  std::int64_t parameter_count = 0;
};

/// One line of type `train`: figures since the line before.
struct TrainReport {
  std::int64_t update = 0;  ///< updates done
  double epoch = 0;         ///< epochs done, with a fraction
  double loss = 0;          ///< mean per example, as optimised (with label smoothing)
  double learning_rate = 0;
  double gradient_norm = 0;  ///< of the last update, before clipping
  double tokens_per_s = 0;
  double done_share = 0;                          ///< of the whole run, 0 to 1
  std::optional<double> remaining_s{};            ///< until the end of training, if it can be told
  std::optional<double> loss_scale{};             ///< of the last update; fp16 only
  std::optional<std::int64_t> skipped_updates{};  ///< for overflow; fp16 only
};

/// One line of type `epoch`: one evaluation period, which is an epoch unless
/// `train.evaluate_every` says otherwise.
struct PeriodReport {
  std::int64_t update = 0;
  double epoch = 0;
  /// Mean per example over the period, as optimised; absent without an update.
  std::optional<double> train_loss{};
  /// In training mode (dropout, noise), over the period's examples.
  std::optional<double> train_accuracy{};
  std::optional<Metrics> validation{};
  bool best = false;
  TimeSplit time{};
  std::int64_t peak_rss_bytes = 0;
  DeviceMemory device_memory{};
  /// Seconds of an epoch's updates at this period's pace, without evaluation.
  double epoch_time_s = 0;
  std::optional<BaselineFigures> baseline{};

  /// The process's resident memory; on CUDA what tensors took.
  std::int64_t peak_memory_bytes() const;
  /// How many times as long, and as much memory, the baseline takes; only with one.
  double baseline_time_ratio() const;
  double baseline_memory_ratio() const;
};

/// The line of type `diverged`.
struct DivergedReport {
  std::int64_t update = 0;
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  std::optional<double> loss_scale{};
  std::vector<std::uint64_t> rows{};  ///< numbers in their file of the rows that the update saw
};

/// The line of type `done`.
struct DoneReport {
  std::int64_t updates = 0;
  double training_time_s = 0;
  std::int64_t best_update = 0;
  std::optional<double> best_accuracy{};
  bool stopped_early = false;
  int stopped_by_signal = 0;
};

/// `metrics.jsonl`: one JSON object a line, on disk as soon as it is written.
class MetricsLog {
 public:
  /// Appends to `path`. Throws SystemError if it cannot be opened.
  explicit MetricsLog(const std::filesystem::path& path);

  /// Each writes one line. Throws SystemError if that fails.
  void write(const StartReport& report);
  void write(const TrainReport& report);
  void write(const PeriodReport& report);
  void write(const DivergedReport& report);
  void write(const DoneReport& report);

 private:
  void write_line(const std::string& line);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace diffuse
