#include "reporter.hpp"

#include <fmt/core.h>

#include "diffuse/base/log.hpp"
#include "diffuse/eval/report.hpp"

namespace diffuse {

Reporter::Reporter(const std::filesystem::path& run_dir, std::int64_t total_updates)
    : metrics_(run_dir / "metrics.jsonl"), total_updates_(total_updates) {}

double Reporter::elapsed_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::string Reporter::progress_text(const TrainReport& report) const {
  const auto done = static_cast<double>(report.update);
  const auto total = static_cast<double>(total_updates_);
  const double left_s = remaining_s(elapsed_s(), done, total);
  // What a narrow terminal cuts off is the end.
  std::string text = fmt::format("{:5.1f} %", 100 * done / total);
  if (left_s >= 0) text += fmt::format("  ETA {}", format_duration(left_s));
  return text + fmt::format("  loss {:.4f}  lr {:.2e}  {} tokens/s  epoch {:.2f}  update {}",
                            report.loss, report.learning_rate,
                            format_count(static_cast<long long>(report.tokens_per_s)), report.epoch,
                            format_count(report.update));
}

void Reporter::report(const TrainReport& report) {
  metrics_.write(report);
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

void Reporter::report(const PeriodReport& report) {
  metrics_.write(report);
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
  if (report.device_memory.reserved_peak_bytes > 0)
    log::info("  device memory: allocated {}, reserved {} at peak",
              format_bytes(static_cast<double>(report.device_memory.allocated_peak_bytes)),
              format_bytes(static_cast<double>(report.device_memory.reserved_peak_bytes)));
}

void Reporter::report(const DoneReport& report) {
  metrics_.write(report);
  line_.clear();
  log::info("trained {} updates in {}", format_count(report.updates),
            format_duration(report.training_time_s));
}

}  // namespace diffuse
