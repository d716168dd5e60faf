#include "reporter.hpp"

#include <fmt/core.h>

#include <chrono>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/eval/report.hpp"

namespace diffuse {

namespace {

std::string progress_text(const HistoryTrain& report, double done_share) {
  // What a narrow terminal cuts off is the end.
  std::string text = fmt::format("{:5.1f} %", 100 * done_share);
  if (report.eta_s) text += fmt::format("  ETA {}", format_duration(*report.eta_s));
  text += fmt::format(
      "  loss {:.4f}  lr {:.2e}  {} tokens/s  epoch {:.2f}  update {}  grad norm "
      "{:.3g}",
      report.loss, report.learning_rate, format_count(static_cast<long long>(report.tokens_per_s)),
      report.epoch, format_count(report.update), report.gradient_norm);
  if (report.loss_scale) text += fmt::format("  scale {:g}", *report.loss_scale);
  if (report.skipped_updates.value_or(0) > 0)
    text += fmt::format("  {} updates skipped for overflow", *report.skipped_updates);
  return text;
}

/// Seconds since 1970.
double wall_time_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Reporter::Reporter(const std::filesystem::path& run_dir, bool tensorboard)
    : events_folder_(tensorboard ? run_dir / "tensorboard" : std::filesystem::path()) {
  try {
    metrics_.emplace(run_dir / "metrics.jsonl");
  } catch (const SystemError& error) {
    log::warning("{} The figures are in the log alone.", error.what());
  }
}

template <class Line>
void Reporter::log_line(const Line& line) {
  if (!metrics_) return;
  try {
    metrics_->write(line);
  } catch (const SystemError& error) {
    log::warning_once(
        "metrics", fmt::format("{} The training goes on; every line is tried anew.", error.what()));
  }
}

void Reporter::add_scalar(const char* tag, std::int64_t update, std::optional<double> value) {
  if (!events_ || !value) return;
  try {
    events_->add_scalar(tag, update, *value, wall_time_s());
  } catch (const SystemError& error) {
    events_.reset();  // behind half a record nothing can be read
    log::warning("{} The training goes on without TensorBoard.", error.what());
  }
}

void Reporter::open_events(std::int64_t update) {
  if (events_folder_.empty()) return;
  try {
    events_.emplace(events_folder_);
    if (update > 0) events_->add_restart(update + 1, wall_time_s());
  } catch (const SystemError& error) {
    events_.reset();
    log::warning("{} The training goes on without TensorBoard.", error.what());
  }
}

void Reporter::report(const HistoryStart& line) {
  log_line(line);
  open_events(line.update);
}

void Reporter::report(const HistoryDivergence& line) {
  log_line(line);
  line_.clear();
}

void Reporter::report(const HistoryTrain& report, double done_share) {
  log_line(report);
  add_scalar("train/loss", report.update, report.loss);
  add_scalar("train/lr", report.update, report.learning_rate);
  add_scalar("train/grad_norm", report.update, report.gradient_norm);
  add_scalar("train/tokens_per_s", report.update, report.tokens_per_s);
  add_scalar("train/loss_scale", report.update, report.loss_scale);
  // The terminal has its progress line; a log file wants the figures all the same.
  log::write(line_.visible() ? log::Level::debug : log::Level::info,
             progress_text(report, done_share));
}

void Reporter::show_update(const HistoryTrain& live, double done_share) {
  if (line_.due()) line_.update(progress_text(live, done_share));
}

void Reporter::show_evaluation(std::int64_t done, std::int64_t total) {
  if (line_.visible())
    line_.update(fmt::format("evaluating  {} of {} rows", format_count(done), format_count(total)));
}

void Reporter::add_epoch(const HistoryEpoch& line) {
  const auto bytes = [](std::int64_t count) { return static_cast<double>(count); };
  const std::pair<const char*, std::optional<double>> scalars[] = {
      {"epoch/train_loss", line.train_loss},
      {"epoch/train_accuracy", line.train_accuracy},
      {"validation/accuracy", line.validation_accuracy},
      {"validation/loss", line.validation_loss},
      {"validation/macro_f1", line.validation_macro_f1},
      {"validation/ece", line.validation_ece},
      {"validation/micro_f1", line.validation_micro_f1},
      {"validation/network_accuracy", line.validation_network_accuracy},
      {"validation/ngram_accuracy", line.validation_ngram_accuracy},
      {"time_s/data", line.time.data_s},
      {"time_s/forward", line.time.forward_s},
      {"time_s/backward", line.time.backward_s},
      {"time_s/forward_backward", line.time.forward_backward_s},
      {"time_s/optimizer", line.time.optimizer_s},
      {"time_s/evaluation", line.time.evaluation_s},
      {"memory_bytes/host_rss", bytes(line.memory.host_rss)},
      {"memory_bytes/device_allocated", bytes(line.memory.device_allocated)},
      {"memory_bytes/device_reserved", bytes(line.memory.device_reserved)},
      {"memory_bytes/device_used", bytes(line.memory.device_used)}};
  for (const auto& [tag, value] : scalars) add_scalar(tag, line.update, value);
}

void Reporter::report(const HistoryEpoch& line, const Metrics* validation) {
  log_line(line);
  add_epoch(line);
  line_.clear();
  std::string text = fmt::format("update {}  epoch {:.2f}", format_count(line.update), line.epoch);
  if (line.train_loss) text += fmt::format("  train loss {:.4f}", *line.train_loss);
  if (line.train_accuracy)
    text += fmt::format("  train accuracy {:.2f} %", 100 * *line.train_accuracy);
  if (validation != nullptr)
    text += fmt::format("  |  validation loss {:.4f}  {}{}", validation->mean_loss,
                        accuracy_line(*validation), line.best ? "  best so far" : "");
  log::info("{}", text);
  if (validation != nullptr && validation->labels)
    log::info("  micro-F1 {}", micro_f1_text(*validation->labels));
  if (line.validation_ngram_accuracy && line.validation_network_accuracy)
    log::info("  alone: n-grams {:.2f} %, network {:.2f} %", 100 * *line.validation_ngram_accuracy,
              100 * *line.validation_network_accuracy);
  const auto bytes = [](std::int64_t count) { return format_bytes(static_cast<double>(count)); };
  const HistoryTime& time = line.time;
  std::string passes;
  const auto add_pass = [&passes](const char* name, const std::optional<double>& seconds) {
    if (seconds) passes += fmt::format(", {} {}", name, format_duration(*seconds));
  };
  add_pass("forward", time.forward_s);
  add_pass("backward", time.backward_s);
  add_pass("forward and backward", time.forward_backward_s);
  log::info("  time: data {}{}, optimizer {}, evaluation {}; peak memory {}",
            format_duration(time.data_s), passes, format_duration(time.optimizer_s),
            format_duration(time.evaluation_s), bytes(line.memory.host_rss));
  if (line.baseline) {
    const auto times = [](const std::optional<double>& ratio) {
      return ratio ? fmt::format(" ({:.3g} times)", *ratio) : std::string();
    };
    log::info("  an epoch {} against {} of {}{}, memory {} against {}{}",
              line.epoch_time_s ? format_duration(*line.epoch_time_s) : "n/a",
              format_duration(line.baseline->epoch_time_s), line.baseline->model,
              times(line.baseline->time_ratio), bytes(line.memory.of_training()),
              bytes(line.baseline->peak_memory_bytes), times(line.baseline->memory_ratio));
  }
  if (line.memory.device_reserved > 0)
    log::info("  device memory: allocated {}, reserved {} at peak, {} used of the device",
              bytes(line.memory.device_allocated), bytes(line.memory.device_reserved),
              bytes(line.memory.device_used));
}

void Reporter::report(const HistoryDone& report) {
  log_line(report);
  line_.clear();
  log::info("trained {} updates in {}", format_count(report.updates),
            format_duration(report.training_time_s));
}

}  // namespace diffuse
