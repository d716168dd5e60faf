#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/error.hpp"
#include "diffuse/report/svg_chart.hpp"
#include "report/chart_scale.hpp"
#include "report/svg.hpp"

namespace diffuse {
namespace {

double part(const ChartBar& bar, std::size_t index) {
  const double value = bar.values[index];
  return std::isfinite(value) && value > 0 ? value : 0;
}

double height_of(const ChartBar& bar) {
  double sum = 0;
  for (std::size_t i = 0; i < bar.values.size(); ++i) sum += part(bar, i);
  return sum;
}

/// Every how many bars a label fits.
std::size_t label_stride(const StackedBarChart& chart, double slot) {
  double widest = 0;
  for (const ChartBar& bar : chart.bars) widest = std::max(widest, text_width(bar.label, 11) + 8);
  const double needed = std::ceil(widest / slot);
  if (needed <= 1) return 1;
  const double power = std::pow(10, std::floor(std::log10(needed)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= needed) return static_cast<std::size_t>(factor * power);
  }
  return static_cast<std::size_t>(10 * power);
}

std::string draw_bar(const StackedBarChart& chart, const ChartBar& bar, double left, double right,
                     const ChartScale& y) {
  const double total = height_of(bar);
  std::string out;
  double below = 0;
  for (std::size_t i = 0; i < bar.values.size(); ++i) {
    const double value = part(bar, i);
    if (value == 0) continue;
    const std::string title = svg_title(std::vector<std::string>{
        fmt::format("{} {}", chart.x_label, bar.label),
        fmt::format("{}: {} ({:.1f} %)", chart.parts[i], figure_text(value), 100 * value / total),
        fmt::format("{}, all: {}", chart.y_label, figure_text(total))});
    out += svg_rect({left, y.place(below + value), right, y.place(below)},
                    fmt::format("fill s{}", i % kChartColours), title);
    below += value;
  }
  return out;
}

}  // namespace

std::string stacked_bar_chart_svg(const StackedBarChart& chart) {
  double highest = 0;
  for (const ChartBar& bar : chart.bars) {
    if (bar.values.size() != chart.parts.size())
      throw Error(fmt::format("The bar \"{}\" has {} values, but the chart has {} parts.",
                              bar.label, bar.values.size(), chart.parts.size()));
    highest = std::max(highest, height_of(bar));
  }
  Frame frame{4, 26, chart.width - 18, chart.height - 44};
  std::string out = begin_chart(chart.title, chart.width, chart.height);
  std::vector<LegendEntry> legend;
  for (const std::string& name : chart.parts) legend.push_back({name, Swatch::box});
  out += chart_legend(legend, frame);
  if (highest == 0) {
    out += svg_text(chart.width / 2, (frame.top + frame.bottom) / 2, "middle", "label",
                    "no values to show");
    return out + "</svg>";
  }
  frame.top += 26;
  const ChartAxis axis{chart.y_label, Scale::linear, true};
  ChartScale y(axis, 0, highest, true, (frame.bottom - frame.top) / 36);
  y.set_pixels(frame.bottom, frame.top);
  frame.left = 12 + y.label_width();
  out += draw_y_axis(y, chart.x_label, chart.y_label, frame);
  const double slot = (frame.right - frame.left) / static_cast<double>(chart.bars.size());
  const double half = std::min(24.0, 0.36 * slot);
  const std::size_t stride = label_stride(chart, slot);
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const double middle = frame.left + (static_cast<double>(i) + 0.5) * slot;
    out += draw_bar(chart, chart.bars[i], middle - half, middle + half, y);
    // Labels 5, 10, 15 … rather than 1, 6, 11 …
    if ((i + 1) % stride == 0)
      out += svg_text(middle, frame.bottom + 18, "middle", "tick", chart.bars[i].label);
  }
  return out + "</svg>";
}

}  // namespace diffuse
