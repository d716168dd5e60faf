#include "reporter.hpp"

#include <fmt/core.h>

#include <chrono>

#include "diffuse/base/log.hpp"
#include "diffuse/eval/report.hpp"

namespace diffuse {

namespace {

std::string progress_text(const TrainReport& report) {
  // What a narrow terminal cuts off is the end.
  std::string text = fmt::format("{:5.1f} %", 100 * report.done_share);
  if (report.remaining_s) text += fmt::format("  ETA {}", format_duration(*report.remaining_s));
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
    : metrics_(run_dir / "metrics.jsonl"),
      events_folder_(tensorboard ? run_dir / "tensorboard" : std::filesystem::path()) {}

void Reporter::add_scalar(const char* tag, std::int64_t update, std::optional<double> value) {
  if (events_ && value) events_->add_scalar(tag, update, *value, wall_time_s());
}

void Reporter::report(const StartReport& report) {
  metrics_.write(report);
  if (!events_folder_.empty()) events_.emplace(events_folder_);
  if (events_ && report.update > 0) events_->add_restart(report.update + 1, wall_time_s());
}

void Reporter::report(const DivergedReport& report) {
  metrics_.write(report);
  line_.clear();
}

void Reporter::report(const TrainReport& report) {
  metrics_.write(report);
  add_scalar("train/loss", report.update, report.loss);
  add_scalar("train/lr", report.update, report.learning_rate);
  add_scalar("train/grad_norm", report.update, report.gradient_norm);
  add_scalar("train/tokens_per_s", report.update, report.tokens_per_s);
  add_scalar("train/loss_scale", report.update, report.loss_scale);
  // The terminal has its progress line; a log file wants the figures all the same.
  log::write(line_.visible() ? log::Level::debug : log::Level::info, progress_text(report));
}

void Reporter::show_update(const TrainReport& live) {
  if (line_.due()) line_.update(progress_text(live));
}

void Reporter::show_evaluation(std::int64_t done, std::int64_t total) {
  if (line_.visible())
    line_.update(fmt::format("evaluating  {} of {} rows", format_count(done), format_count(total)));
}

void Reporter::add_period(const PeriodReport& report) {
  const std::int64_t update = report.update;
  add_scalar("epoch/train_loss", update, report.train_loss);
  add_scalar("epoch/train_accuracy", update, report.train_accuracy);
  if (report.validation) {
    add_scalar("validation/accuracy", update, report.validation->accuracy);
    add_scalar("validation/loss", update, report.validation->mean_loss);
    add_scalar("validation/macro_f1", update, report.validation->macro_f1);
    add_scalar("validation/ece", update, report.validation->ece);
  }
  add_scalar("time_s/data", update, report.time.data_s);
  add_scalar("time_s/forward", update, report.time.forward_s);
  add_scalar("time_s/backward", update, report.time.backward_s);
  add_scalar("time_s/optimizer", update, report.time.optimizer_s);
  add_scalar("time_s/evaluation", update, report.time.evaluation_s);
  const auto bytes = [](std::int64_t count) { return static_cast<double>(count); };
  add_scalar("memory_bytes/host_rss", update, bytes(report.peak_rss_bytes));
  add_scalar("memory_bytes/device_allocated", update,
             bytes(report.device_memory.allocated_peak_bytes));
  add_scalar("memory_bytes/device_reserved", update,
             bytes(report.device_memory.reserved_peak_bytes));
  add_scalar("memory_bytes/device_used", update, bytes(report.device_memory.used_bytes));
}

void Reporter::report(const PeriodReport& report) {
  metrics_.write(report);
  add_period(report);
  line_.clear();
  std::string text =
      fmt::format("update {}  epoch {:.2f}", format_count(report.update), report.epoch);
  if (report.train_loss) text += fmt::format("  train loss {:.4f}", *report.train_loss);
  if (report.train_accuracy)
    text += fmt::format("  train accuracy {:.2f} %", 100 * *report.train_accuracy);
  if (report.validation)
    text += fmt::format("  |  validation loss {:.4f}  {}{}", report.validation->mean_loss,
                        accuracy_line(*report.validation), report.best ? "  best so far" : "");
  log::info("{}", text);
  const TimeSplit& time = report.time;
  log::info("  time: data {}, forward {}, backward {}, optimizer {}, evaluation {}; peak memory {}",
            format_duration(time.data_s), format_duration(time.forward_s),
            format_duration(time.backward_s), format_duration(time.optimizer_s),
            format_duration(time.evaluation_s),
            format_bytes(static_cast<double>(report.peak_rss_bytes)));
  if (report.baseline)
    log::info("  an epoch {} against {} of {} ({:.3g} times), memory {} against {} ({:.3g} times)",
              format_duration(report.epoch_time_s), format_duration(report.baseline->epoch_time_s),
              report.baseline->model, report.baseline_time_ratio(),
              format_bytes(static_cast<double>(report.peak_memory_bytes())),
              format_bytes(static_cast<double>(report.baseline->peak_memory_bytes)),
              report.baseline_memory_ratio());
  if (report.device_memory.reserved_peak_bytes > 0)
    log::info("  device memory: allocated {}, reserved {} at peak, {} used of the device",
              format_bytes(static_cast<double>(report.device_memory.allocated_peak_bytes)),
              format_bytes(static_cast<double>(report.device_memory.reserved_peak_bytes)),
              format_bytes(static_cast<double>(report.device_memory.used_bytes)));
}

void Reporter::report(const DoneReport& report) {
  metrics_.write(report);
  line_.clear();
  log::info("trained {} updates in {}", format_count(report.updates),
            format_duration(report.training_time_s));
}

}  // namespace diffuse
