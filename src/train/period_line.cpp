#include "period_line.hpp"

#include "diffuse/base/log.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/eval/missed_classes.hpp"

namespace diffuse {

std::optional<Evaluation> evaluate_validation(
    Classifier& classifier, const TrainingData& data, const TrainConfig& config,
    Precision precision, const std::optional<BranchOptions>& branches,
    const std::function<void(const Batch&)>& before_batch,
    const std::function<void(std::int64_t, std::int64_t)>& on_progress) {
  const EvaluationOptions options{.class_count = data.labels.size(),
                                  .noise_seed = config.seed,
                                  .precision = precision,
                                  .branches = branches,
                                  .before_batch = before_batch,
                                  .on_progress = [&](std::int64_t done, std::int64_t total) {
                                    throw_if_stopped();
                                    on_progress(done, total);
                                  }};
  try {
    return evaluate(classifier, data.validation, options);
  } catch (const Stopped&) {
    return std::nullopt;
  }
}

void add_validation(HistoryEpoch& line, const Evaluation& validation) {
  const Metrics& metrics = validation.metrics;
  line.validation_accuracy = metrics.accuracy;
  line.validation_loss = metrics.mean_loss;
  line.validation_macro_f1 = metrics.macro_f1;
  line.validation_ece = metrics.ece;
  if (metrics.labels) line.validation_micro_f1 = metrics.labels->micro_f1;
  if (!validation.branches) return;
  line.validation_network_accuracy = validation.branches->network_accuracy;
  line.validation_ngram_accuracy = validation.branches->ngram_accuracy;
}

void tell_missed_classes(const Metrics& validation, const Labels& labels, std::string& told) {
  std::string text = missed_classes_text(validation, labels.names(), "validation");
  if (!text.empty() && text != told) log::info("  {}", text);
  told = std::move(text);
}

void add_memory(HistoryEpoch& line, at::Device device) {
  const DeviceMemory memory = device_memory(device);
  line.memory = {.host_rss = peak_rss_bytes(),
                 .device_allocated = memory.allocated_peak_bytes,
                 .device_reserved = memory.reserved_peak_bytes,
                 .device_used = memory.used_bytes};
}

void add_epoch_time(HistoryEpoch& line, std::int64_t updates, std::int64_t updates_per_epoch,
                    const BaselineFigures* baseline) {
  if (updates > 0 && line.time.updates_s() > 0)
    line.epoch_time_s = line.time.updates_s() / static_cast<double>(updates) *
                        static_cast<double>(updates_per_epoch);
  if (baseline == nullptr) return;
  line.baseline = HistoryBaseline{.model = baseline->model,
                                  .precision = baseline->precision,
                                  .batch_size = baseline->batch_size,
                                  .epoch_time_s = baseline->epoch_time_s,
                                  .peak_memory_bytes = baseline->peak_memory_bytes};
  if (line.epoch_time_s) line.baseline->time_ratio = baseline->epoch_time_s / *line.epoch_time_s;
  if (line.memory.of_training() > 0)
    line.baseline->memory_ratio = static_cast<double>(baseline->peak_memory_bytes) /
                                  static_cast<double>(line.memory.of_training());
}

}  // namespace diffuse
