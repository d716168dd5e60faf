#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace diffuse {

/// The lines of a run's `metrics.jsonl` (docs/metrics.md). A number that is null there, because it
/// is not finite, is NaN here.

struct HistoryStart {
  std::string time;         ///< UTC, ISO 8601
  std::int64_t update = 0;  ///< updates done before; above 0 at a resume
  std::optional<std::int64_t> total_updates{};
  std::int64_t updates_per_epoch = 0;
  std::string device;
  std::string precision;
  std::int64_t threads = 0;
  std::int64_t parameter_count = 0;
};

struct HistoryTrain {
  std::int64_t update = 0;
  double epoch = 0;
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  double tokens_per_s = 0;
  std::optional<double> eta_s{};
  std::optional<double> loss_scale{};             ///< fp16 only
  std::optional<std::int64_t> skipped_updates{};  ///< fp16 only
};

struct HistoryTime {
  double data_s = 0;
  double forward_s = 0;
  double backward_s = 0;
  double optimizer_s = 0;
  double evaluation_s = 0;
  double sum_s() const { return data_s + forward_s + backward_s + optimizer_s + evaluation_s; }
};

/// Peaks in bytes; those of the device are 0 on the CPU.
struct HistoryMemory {
  std::int64_t host_rss = 0;
  std::int64_t device_allocated = 0;
  std::int64_t device_reserved = 0;
  std::int64_t device_used = 0;  ///< of the whole device, by anyone
};

struct HistoryEpoch {
  std::int64_t update = 0;
  double epoch = 0;
  std::optional<double> train_loss{};
  std::optional<double> train_accuracy{};
  std::optional<double> validation_accuracy{};  ///< these four only with validation rows
  std::optional<double> validation_loss{};
  std::optional<double> validation_macro_f1{};
  std::optional<double> validation_ece{};
  bool best = false;
  HistoryTime time{};
  HistoryMemory memory{};
};

/// Training ended because the loss or the gradient was not finite.
struct HistoryDivergence {
  std::int64_t update = 0;
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  std::optional<double> loss_scale{};
  std::vector<std::int64_t> rows;  ///< of the batch, numbers in the training file from 1
};

struct HistoryDone {
  std::int64_t updates = 0;
  double training_time_s = 0;
  std::optional<std::int64_t> best_update{};
  std::optional<double> best_accuracy{};
  bool stopped_early = false;
  std::int64_t stopped_by_signal = 0;
};

/// One run, in the order of its updates.
struct RunHistory {
  std::vector<HistoryStart> starts;  ///< the start and each resume
  std::vector<HistoryTrain> train;
  std::vector<HistoryEpoch> epochs;
  std::optional<HistoryDivergence> divergence{};
  std::optional<HistoryDone> done{};  ///< absent of a run that goes on or was killed
  std::int64_t replaced_lines = 0;    ///< of updates that a resume made again
  std::int64_t cut_off_lines = 0;     ///< left by a program that was killed
};

/// Reads `metrics.jsonl`. A resume (a `start` line) at update u takes back every line before it of
/// a later update than u, and the end of the run that stood there. Unknown types and keys are
/// passed over. The last line may be cut off, and so may one before a `start` line.
/// Throws SystemError if the file cannot be read, DataError (`file:line`) for another damaged line.
RunHistory read_run_history(const std::filesystem::path& path);

}  // namespace diffuse
