#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "diffuse/report/svg_chart.hpp"
#include "report/sections.hpp"

namespace diffuse {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// In pixels, of charts that stand two and three in a row.
constexpr double kWide = 560;
constexpr double kNarrow = 380;

using TrainValue = std::function<double(const HistoryTrain&)>;
using EpochValue = std::function<std::optional<double>(const HistoryEpoch&)>;

bool any_finite(const ChartSeries& series) {
  return std::any_of(series.points.begin(), series.points.end(),
                     [](const ChartPoint& point) { return std::isfinite(point.y); });
}

ChartSeries curve(std::string name, const RunHistory& history, const TrainValue& value) {
  ChartSeries series{std::move(name), {}};
  for (const HistoryTrain& line : history.train)
    series.points.push_back({static_cast<double>(line.update), value(line)});
  return series;
}

ChartSeries curve_of_epochs(std::string name, const RunHistory& history, const EpochValue& value) {
  ChartSeries series{std::move(name), {}};
  for (const HistoryEpoch& epoch : history.epochs)
    series.points.push_back({static_cast<double>(epoch.update), value(epoch).value_or(kNothing)});
  return series;
}

ChartSeries scaled(ChartSeries series, double factor) {
  for (ChartPoint& point : series.points) point.y *= factor;
  return series;
}

std::vector<ChartMark> best_mark(const RunHistory& history) {
  std::vector<ChartMark> marks;
  for (const HistoryEpoch& epoch : history.epochs) {
    if (epoch.best) marks = {{static_cast<double>(epoch.update), "best checkpoint"}};
  }
  return marks;
}

/// A chart over the updates, or nothing where there is nothing to show.
std::string chart(std::string title, ChartAxis y, std::vector<ChartSeries> series,
                  double width = kWide, std::vector<ChartMark> marks = {}) {
  std::erase_if(series, [](const ChartSeries& entry) { return !any_finite(entry); });
  if (series.empty()) return "";
  return fmt::format("<div class=\"card\">{}</div>\n",
                     line_chart_svg({std::move(title),
                                     {"update", Scale::linear, true},
                                     std::move(y),
                                     std::move(series),
                                     std::move(marks),
                                     width}));
}

std::string loss_chart(const RunHistory& history) {
  ChartSeries training =
      curve("training", history, [](const HistoryTrain& line) { return line.loss; });
  if (!any_finite(training))
    training = curve_of_epochs("training, mean of the epoch", history,
                               [](const HistoryEpoch& epoch) { return epoch.train_loss; });
  ChartSeries validation = curve_of_epochs(
      "validation", history, [](const HistoryEpoch& epoch) { return epoch.validation_loss; });
  return chart("Loss", {"cross-entropy (nats)", Scale::linear, true},
               {std::move(training), std::move(validation)}, kWide, best_mark(history));
}

std::string accuracy_chart(const RunHistory& history) {
  return chart(
      "Accuracy", {"accuracy (%)"},
      {scaled(curve_of_epochs("training, in training mode", history,
                              [](const HistoryEpoch& epoch) { return epoch.train_accuracy; }),
              100),
       scaled(curve_of_epochs("validation", history,
                              [](const HistoryEpoch& epoch) { return epoch.validation_accuracy; }),
              100)},
      kWide, best_mark(history));
}

/// Logarithmic where a linear axis would press most of the curve flat.
std::string gradient_chart(const RunHistory& history, double width) {
  ChartSeries series =
      curve("gradient norm", history, [](const HistoryTrain& line) { return line.gradient_norm; });
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const ChartPoint& point : series.points) {
    if (!std::isfinite(point.y) || point.y <= 0) continue;
    low = std::min(low, point.y);
    high = std::max(high, point.y);
  }
  const bool wide = high > 50 * low;
  return chart("Gradient norm",
               {"norm before clipping", wide ? Scale::logarithmic : Scale::linear, !wide},
               {std::move(series)}, width);
}

std::string time_chart(const RunHistory& history) {
  double longest = 0;
  for (const HistoryEpoch& epoch : history.epochs) longest = std::max(longest, epoch.time.sum_s());
  if (!(longest > 0)) return "";
  const double unit = longest > 7200 ? 3600 : longest > 300 ? 60 : 1;
  StackedBarChart bars{"Time by epoch",
                       "epoch",
                       longest > 7200  ? "time (h)"
                       : longest > 300 ? "time (min)"
                                       : "time (s)",
                       {},
                       {}};
  for (const HistoryEpoch& epoch : history.epochs)
    bars.bars.push_back({fmt::format("{:.4g}", epoch.epoch), {}});
  // What no epoch has, one pass or two by the kernel, is left out.
  const auto add = [&](const char* name, const auto& time_of) {
    std::vector<std::optional<double>> times;
    for (const HistoryEpoch& epoch : history.epochs) times.push_back(time_of(epoch.time));
    if (std::none_of(times.begin(), times.end(), [](const auto& t) { return t.has_value(); }))
      return;
    bars.parts.push_back(name);
    for (std::size_t i = 0; i < times.size(); ++i)
      bars.bars[i].values.push_back(times[i].value_or(0) / unit);
  };
  using Time = const HistoryTime&;
  add("data", [](Time time) { return std::optional(time.data_s); });
  add("forward", [](Time time) { return time.forward_s; });
  add("backward", [](Time time) { return time.backward_s; });
  add("forward and backward", [](Time time) { return time.forward_backward_s; });
  add("optimizer", [](Time time) { return std::optional(time.optimizer_s); });
  add("evaluation", [](Time time) { return std::optional(time.evaluation_s); });
  return fmt::format("<div class=\"card\">{}</div>\n", stacked_bar_chart_svg(bars));
}

std::string memory_chart(const RunHistory& history) {
  const auto series = [&](const char* name, std::int64_t HistoryMemory::*bytes) {
    return curve_of_epochs(name, history, [bytes](const HistoryEpoch& epoch) {
      const std::int64_t value = epoch.memory.*bytes;
      return value > 0 ? std::optional(static_cast<double>(value)) : std::nullopt;
    });
  };
  std::vector<ChartSeries> all = {series("process", &HistoryMemory::host_rss),
                                  series("device, allocated", &HistoryMemory::device_allocated),
                                  series("device, reserved", &HistoryMemory::device_reserved),
                                  series("device, used by all", &HistoryMemory::device_used)};
  double largest = 0;
  for (const ChartSeries& entry : all) {
    for (const ChartPoint& point : entry.points)
      if (point.y > largest) largest = point.y;
  }
  const bool giga = largest >= 2e9;
  for (ChartSeries& entry : all) entry = scaled(std::move(entry), giga ? 1e-9 : 1e-6);
  return chart("Peak memory by epoch", {giga ? "memory (GB)" : "memory (MB)", Scale::linear, true},
               std::move(all));
}

std::string grid(const char* form, const std::string& charts) {
  if (charts.empty()) return "";
  return fmt::format("<div class=\"charts{}\">\n{}</div>\n", form, charts);
}

}  // namespace

std::string training_html(const RunHistory& history) {
  // The quality first, then how the updates went, then what they cost.
  const std::string scale = chart("Loss scale", {"loss scale (fp16)", Scale::logarithmic},
                                  {curve("loss scale", history, [](const HistoryTrain& line) {
                                    return line.loss_scale.value_or(kNothing);
                                  })});
  const double width = scale.empty() ? kNarrow : kWide;
  const std::string updates =
      chart("Learning rate", {"rate", Scale::linear, true},
            {curve("learning rate", history,
                   [](const HistoryTrain& line) { return line.learning_rate; })},
            width) +
      gradient_chart(history, width) +
      chart(
          "Speed", {"tokens/s", Scale::linear, true},
          {curve("tokens/s", history, [](const HistoryTrain& line) { return line.tokens_per_s; })},
          width) +
      scale;
  std::string out = grid("", loss_chart(history) + accuracy_chart(history));
  out += grid(scale.empty() ? " three" : "", updates);
  out += grid("", time_chart(history) + memory_chart(history));
  return out.empty() ? "" : "<section>\n<h2>Training</h2>\n" + out + "</section>\n";
}

}  // namespace diffuse
