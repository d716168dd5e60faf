#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

namespace diffuse {
namespace {

struct KeyFigure {
  std::string name;
  std::string value;
  std::string remark{};
};

std::string percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

std::int64_t last_update(const RunHistory& history) {
  std::int64_t last = history.done ? history.done->updates : 0;
  if (!history.train.empty()) last = std::max(last, history.train.back().update);
  if (!history.epochs.empty()) last = std::max(last, history.epochs.back().update);
  if (history.divergence) last = std::max(last, history.divergence->update);
  return last;
}

const HistoryEpoch* best_epoch(const RunHistory& history) {
  const HistoryEpoch* best = nullptr;
  for (const HistoryEpoch& epoch : history.epochs) {
    if (epoch.best) best = &epoch;
  }
  return best;
}

std::string status(const RunHistory& history) {
  const std::string updates = format_count(last_update(history));
  if (history.divergence)
    return fmt::format("diverged at update {}", format_count(history.divergence->update));
  if (!history.done) return fmt::format("not finished: {} updates so far", updates);
  if (history.done->stopped_by_signal != 0)
    return fmt::format("stopped by signal {} after {} updates", history.done->stopped_by_signal,
                       updates);
  return fmt::format("{} after {} updates",
                     history.done->stopped_early ? "stopped early" : "finished", updates);
}

/// "2026-11-25 04:00:00 UTC" of "2026-11-25T04:00:00Z"; another form as it is.
std::string shown_time(std::string time) {
  if (time.size() != 20 || time[10] != 'T' || time.back() != 'Z') return time;
  time[10] = ' ';
  time.pop_back();
  return time + " UTC";
}

std::string subtitle(const RunHistory& history) {
  std::vector<std::string> parts = {status(history)};
  if (!history.starts.empty())
    parts.push_back("started " + shown_time(history.starts.front().time));
  const std::size_t resumes = history.starts.empty() ? 0 : history.starts.size() - 1;
  if (resumes > 0)
    parts.push_back(
        fmt::format("resumed {}", resumes == 1 ? "once" : fmt::format("{} times", resumes)));
  return html_text(join(parts, " · "));
}

void add_accuracy(std::vector<KeyFigure>& figures, const TrainingReport& report) {
  if (report.evaluated) {
    const Metrics& metrics = report.evaluated->metrics;
    figures.push_back(
        {report.evaluated->name + (metrics.labels ? ", all labels right" : " accuracy"),
         percent(metrics.accuracy),
         fmt::format("95 % interval {:.1f} to {:.1f}, n = {}", 100 * metrics.accuracy_interval.low,
                     100 * metrics.accuracy_interval.high, format_count(metrics.count))});
    if (metrics.majority) {
      const auto label = static_cast<std::size_t>(metrics.majority->label);
      figures.push_back({"most frequent class", percent(metrics.majority->accuracy),
                         fmt::format("right by always answering {}",
                                     printable(report.evaluated->labels[label], 24))});
    }
    if (metrics.labels && metrics.labels->micro_f1)
      figures.push_back({"micro-F1", fmt::format("{:.4f}", *metrics.labels->micro_f1)});
    if (metrics.macro_f1) figures.push_back({"macro-F1", fmt::format("{:.4f}", *metrics.macro_f1)});
  }
  const HistoryEpoch* best = best_epoch(report.history);
  const bool shown = report.evaluated && report.evaluated->name == "validation";
  if (best != nullptr && best->validation_accuracy && !shown)
    figures.push_back(
        {"validation accuracy", percent(*best->validation_accuracy), "of the best update"});
  if (figures.empty() && !report.history.epochs.empty() &&
      report.history.epochs.back().train_accuracy)
    figures.push_back({"training accuracy", percent(*report.history.epochs.back().train_accuracy),
                       "of the last epoch, in training mode"});
}

void add_best_update(std::vector<KeyFigure>& figures, const TrainingReport& report) {
  const RunHistory& history = report.history;
  const HistoryEpoch* best = best_epoch(history);
  if (best == nullptr) return;
  figures.push_back(
      {"best update", format_count(best->update),
       fmt::format("of {}, epoch {:.4g}{}", format_count(last_update(history)), best->epoch,
                   report.choosing_rows == 0 ? ""
                                             : fmt::format(", chosen by {} validation rows",
                                                           format_count(report.choosing_rows)))});
}

void add_time(std::vector<KeyFigure>& figures, const RunHistory& history) {
  double seconds = 0;
  for (const HistoryEpoch& epoch : history.epochs) seconds += epoch.time.sum_s();
  std::string remark = "with evaluation";
  if (history.done && std::isfinite(history.done->training_time_s)) {
    seconds = history.done->training_time_s;
    remark.clear();
  }
  if (seconds > 0) figures.push_back({"training time", format_duration(seconds), remark});
}

void add_memory(std::vector<KeyFigure>& figures, const RunHistory& history) {
  HistoryMemory peak;
  for (const HistoryEpoch& epoch : history.epochs) {
    peak.host_rss = std::max(peak.host_rss, epoch.memory.host_rss);
    peak.device_reserved = std::max(peak.device_reserved, epoch.memory.device_reserved);
  }
  const auto add = [&](const char* name, std::int64_t bytes, const char* remark) {
    if (bytes > 0) figures.push_back({name, format_bytes(static_cast<double>(bytes)), remark});
  };
  add("peak memory", peak.host_rss, "resident, of the process");
  add("peak device memory", peak.device_reserved, "reserved by the allocator");
}

void add_set_up(std::vector<KeyFigure>& figures, const RunHistory& history) {
  if (history.starts.empty()) return;
  const HistoryStart& start = history.starts.back();
  figures.push_back(
      {"device", printable(start.device, 48),
       start.threads == 1 ? "1 thread" : fmt::format("{} threads", format_count(start.threads))});
  figures.push_back({"precision", printable(start.precision, 24)});
  figures.push_back({"parameters", format_count(start.parameter_count)});
  std::optional<std::int64_t> skipped;  // absent but for fp16
  for (const HistoryTrain& line : history.train) {
    if (line.skipped_updates) skipped = skipped.value_or(0) + *line.skipped_updates;
  }
  if (skipped) {
    figures.push_back(
        {"skipped updates", format_count(*skipped), "their fp16 gradient overflowed"});
  }
}

std::string divergence_html(const HistoryDivergence& divergence) {
  constexpr std::size_t kMostRows = 40;
  std::vector<std::string> rows;
  for (const std::int64_t row : divergence.rows) {
    if (rows.size() == kMostRows) {
      rows.push_back("…");
      break;
    }
    rows.push_back(fmt::format("{}", row));
  }
  const auto shown = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.4g}", value) : std::string("not finite");
  };
  std::string out = fmt::format(
      "<p class=\"alarm\"><strong>Training diverged at update {}.</strong> Loss {}, learning rate "
      "{:.3g}, gradient norm {}",
      format_count(divergence.update), shown(divergence.loss), divergence.learning_rate,
      shown(divergence.gradient_norm));
  if (divergence.loss_scale) out += fmt::format(", loss scale {:.6g}", *divergence.loss_scale);
  out += ".";
  if (!rows.empty())
    out += fmt::format(" Rows of the batch in the training file: {}.", join(rows, ", "));
  return out + "</p>\n";
}

}  // namespace

std::string key_figures_html(const TrainingReport& report) {
  const RunHistory& history = report.history;
  std::vector<KeyFigure> figures;
  add_accuracy(figures, report);
  add_best_update(figures, report);
  add_time(figures, history);
  add_memory(figures, history);
  add_set_up(figures, history);
  std::string out =
      fmt::format("<header>\n<h1><bdi>{}</bdi></h1>\n<p class=\"subtitle\">{}</p>\n</header>\n",
                  html_text(report.name.empty() ? "run" : report.name), subtitle(history));
  if (history.divergence) out += divergence_html(*history.divergence);
  out += "<dl class=\"figures\">\n";
  for (const KeyFigure& figure : figures) {
    out += fmt::format("<div><dt>{}</dt><dd class=\"value\">{}</dd>", html_text(figure.name),
                       html_text(figure.value));
    if (!figure.remark.empty()) out += fmt::format("<dd>{}</dd>", html_text(figure.remark));
    out += "</div>\n";
  }
  return figures.empty() ? out.substr(0, out.rfind("<dl")) : out + "</dl>\n";
}

}  // namespace diffuse
