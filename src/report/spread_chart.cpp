#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "diffuse/base/text_util.hpp"
#include "diffuse/report/svg_chart.hpp"
#include "report/chart_scale.hpp"
#include "report/svg.hpp"

namespace diffuse {
namespace {

constexpr double kRowHeight = 24;
constexpr std::size_t kLongestLabel = 44;  // characters
constexpr double kCap = 4;                 // half the height of a bar's ends

std::string tooltip(const SpreadRow& row) {
  std::vector<std::string> lines = {row.label, "mean: " + figure_text(row.mean)};
  if (row.deviation) lines.push_back("standard deviation: " + figure_text(*row.deviation));
  for (const double value : row.values) lines.push_back(figure_text(value));
  return svg_title(lines);
}

std::string cut(const std::string& label) { return printable(label, kLongestLabel); }

std::string draw_row(const SpreadRow& row, const ChartScale& x, double y) {
  std::string out;
  if (row.deviation) {
    const double left = x.place(row.mean - *row.deviation);
    const double right = x.place(row.mean + *row.deviation);
    out += svg_line(left, y, right, y, "spread s0");
    for (const double end : {left, right})
      out += svg_line(end, y - kCap, end, y + kCap, "spread s0");
  }
  for (const double value : row.values)
    out += fmt::format("<path class=\"value s1\" d=\"{}\"/>", marker_path(0, x.place(value), y, 5));
  return out + fmt::format("<path class=\"mark s0\" d=\"{}\">{}</path>",
                           marker_path(0, x.place(row.mean), y, 9), tooltip(row));
}

}  // namespace

std::string spread_chart_svg(const SpreadChart& chart) {
  const double height = 74 + kRowHeight * static_cast<double>(chart.rows.size());
  std::string out = begin_chart(chart.title, chart.width, height);
  if (chart.rows.empty())
    return out + svg_text(chart.width / 2, height / 2, "middle", "label", "no values to show") +
           "</svg>";
  double low = chart.rows.front().mean;
  double high = low;
  double label_width = 0;
  for (const SpreadRow& row : chart.rows) {
    const double reach = row.deviation.value_or(0);
    low = std::min(low, row.mean - reach);
    high = std::max(high, row.mean + reach);
    for (const double value : row.values) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    label_width = std::max(label_width, text_width(cut(row.label), 12));
  }
  const Frame frame{16 + label_width, 30, chart.width - 24, height - 44};
  ChartScale x({chart.x_label}, low, high, true, (frame.right - frame.left) / 90);
  x.set_pixels(frame.left, frame.right);
  for (const Tick& tick : x.ticks()) {
    const double at = x.place(tick.value);
    out += svg_line(at, frame.top, at, frame.bottom, "grid");
    out += svg_text(at, frame.bottom + 18, "middle", "tick", tick.label);
  }
  out += svg_line(frame.left, frame.bottom, frame.right, frame.bottom, "axis");
  out += svg_text((frame.left + frame.right) / 2, frame.bottom + 36, "middle", "axis-label",
                  chart.x_label);
  for (std::size_t i = 0; i < chart.rows.size(); ++i) {
    const double y = frame.top + kRowHeight * (static_cast<double>(i) + 0.5);
    out += svg_text(frame.left - 10, y + 4, "end", "label", cut(chart.rows[i].label));
    out += draw_row(chart.rows[i], x, y);
  }
  return out + "</svg>";
}

}  // namespace diffuse
