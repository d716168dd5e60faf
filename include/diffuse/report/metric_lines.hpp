#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace diffuse {

/// The lines of a run's `metrics.jsonl` (docs/metrics.md), as the trainer writes and the report
/// reads them. A number that is not finite is null there, and NaN when it is read.

struct HistoryStart {
  std::string time{};                           ///< UTC, ISO 8601
  std::int64_t update = 0;                      ///< updates done before; above 0 at a resume
  std::optional<std::int64_t> total_updates{};  ///< absent for a run measured in minutes
  std::int64_t updates_per_epoch = 0;
  std::string device{};
  std::string precision{};
  std::int64_t threads = 0;
  std::int64_t parameter_count = 0;
};

/// Figures since the line before.
struct HistoryTrain {
  std::int64_t update = 0;  ///< updates done
  double epoch = 0;         ///< epochs done, with a fraction
  double loss = 0;          ///< mean per example, as optimised (with label smoothing)
  double learning_rate = 0;
  double gradient_norm = 0;  ///< of the last update, before clipping
  double tokens_per_s = 0;
  std::optional<double> eta_s{};                  ///< until the end of training, if it can be told
  std::optional<double> loss_scale{};             ///< of the last update; fp16 only
  std::optional<std::int64_t> skipped_updates{};  ///< for overflow; fp16 only
};

/// Where one evaluation period's wall-clock time went, in seconds.
struct HistoryTime {
  double data_s = 0;
  std::optional<double> forward_s{};
  std::optional<double> backward_s{};
  std::optional<double> forward_backward_s{};  ///< of a kernel that makes both in one pass
  double optimizer_s = 0;
  double evaluation_s = 0;  ///< with writing the checkpoint
  double updates_s() const {
    return data_s + forward_s.value_or(0) + backward_s.value_or(0) +
           forward_backward_s.value_or(0) + optimizer_s;
  }
  double sum_s() const { return updates_s() + evaluation_s; }
};

/// Peaks in bytes; those of the device are 0 on the CPU.
struct HistoryMemory {
  std::int64_t host_rss = 0;
  std::int64_t device_allocated = 0;
  std::int64_t device_reserved = 0;
  std::int64_t device_used = 0;  ///< of the whole device, by anyone
  /// The process's resident memory; on CUDA what tensors took.
  std::int64_t of_training() const { return device_allocated > 0 ? device_allocated : host_rss; }
};

/// Another model on the run's rows, beside an epoch of the run.
struct HistoryBaseline {
  std::string model{};
  std::string precision{};
  std::int64_t batch_size = 0;
  double epoch_time_s = 0;
  std::int64_t peak_memory_bytes = 0;
  /// How many times as long, and as much memory, it takes; absent where the run's own is not known.
  std::optional<double> time_ratio{};
  std::optional<double> memory_ratio{};
};

/// One evaluation period, which is an epoch unless `train.evaluate_every` says otherwise.
struct HistoryEpoch {
  std::int64_t update = 0;
  double epoch = 0;
  std::optional<double> train_loss{};  ///< mean per example, as optimised; absent without an update
  std::optional<double> train_accuracy{};       ///< in training mode (dropout, noise)
  std::optional<double> validation_accuracy{};  ///< these four only with validation rows
  std::optional<double> validation_loss{};
  std::optional<double> validation_macro_f1{};
  std::optional<double> validation_ece{};
  std::optional<double> validation_micro_f1{};  ///< only of several labels a text
  bool best = false;
  HistoryTime time{};
  HistoryMemory memory{};
  /// Seconds of an epoch's updates at this period's pace, without evaluation; absent without an
  /// update.
  std::optional<double> epoch_time_s{};
  std::optional<HistoryBaseline> baseline{};
  /// Of each branch on the validation rows by itself; only with n-grams.
  std::optional<double> validation_network_accuracy{};
  std::optional<double> validation_ngram_accuracy{};
};

/// Training ended because the loss or the gradient was not finite.
struct HistoryDivergence {
  std::int64_t update = 0;
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  std::optional<double> loss_scale{};
  std::vector<std::int64_t> rows{};  ///< of the batch, numbers in the training file from 1
};

struct HistoryDone {
  std::int64_t updates = 0;
  double training_time_s = 0;
  std::optional<std::int64_t> best_update{};
  std::optional<double> best_accuracy{};
  bool stopped_early = false;
  std::int64_t stopped_by_signal = 0;
};

/// The line of `metrics.jsonl`, without its end.
std::string metric_line(const HistoryStart& line);
std::string metric_line(const HistoryTrain& line);
std::string metric_line(const HistoryEpoch& line);
std::string metric_line(const HistoryDivergence& line);
std::string metric_line(const HistoryDone& line);

}  // namespace diffuse
