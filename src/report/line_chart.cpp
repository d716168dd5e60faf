#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "diffuse/report/svg_chart.hpp"
#include "report/chart_scale.hpp"
#include "report/svg.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kMostMarkers = 40;
constexpr std::size_t kMostTooltips = 150;

bool shown(double value, const ChartAxis& axis) {
  return std::isfinite(value) && (axis.scale == Scale::linear || value > 0);
}

bool shown(const ChartPoint& point, const LineChart& chart) {
  return shown(point.x, chart.x) && shown(point.y, chart.y);
}

std::size_t shown_points(const ChartSeries& series, const LineChart& chart) {
  return static_cast<std::size_t>(
      std::count_if(series.points.begin(), series.points.end(),
                    [&](const ChartPoint& point) { return shown(point, chart); }));
}

bool marked(const ChartSeries& series, const LineChart& chart) {
  return shown_points(series, chart) <= kMostMarkers;
}

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// What a screen can show of very many points: each column's first, smallest, largest and last.
std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points, const LineChart& chart,
                                const ChartScale& x) {
  if (static_cast<double>(points.size()) <= 2 * chart.width) return points;
  std::vector<ChartPoint> kept;
  for (std::size_t begin = 0; begin < points.size();) {
    if (!shown(points[begin], chart)) {
      kept.push_back(points[begin++]);
      continue;
    }
    const double column = std::floor(x.place(points[begin].x));
    std::size_t end = begin;
    std::size_t lowest = begin;
    std::size_t highest = begin;
    for (; end < points.size() && shown(points[end], chart) &&
           std::floor(x.place(points[end].x)) == column;
         ++end) {
      if (points[end].y < points[lowest].y) lowest = end;
      if (points[end].y > points[highest].y) highest = end;
    }
    std::vector<std::size_t> chosen = {begin, lowest, highest, end - 1};
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const std::size_t i : chosen) kept.push_back(points[i]);
    begin = end;
  }
  return kept;
}

std::string curve_path(const std::vector<ChartPoint>& points, const LineChart& chart,
                       const ChartScale& x, const ChartScale& y) {
  std::string path;
  bool pen_down = false;
  for (const ChartPoint& point : points) {
    if (!shown(point, chart)) {
      pen_down = false;
      continue;
    }
    path += fmt::format("{}{} {}", pen_down ? "L" : "M", coordinate(x.place(point.x)),
                        coordinate(y.place(point.y)));
    // A point between two gaps is a dot.
    if (!pen_down) path += "h0";
    pen_down = true;
  }
  return path;
}

std::string tooltip(const LineChart& chart, const ChartSeries& series, const ChartPoint& point) {
  return svg_title(std::vector<std::string>{
      series.name, fmt::format("{}: {}", chart.x.label, figure_text(point.x)),
      fmt::format("{}: {}", chart.y.label, figure_text(point.y))});
}

/// A cross on the last point, with the reason as its tooltip.
std::string draw_end(const LineChart& chart, const ChartSeries& series, const ChartScale& x,
                     const ChartScale& y) {
  if (series.end.empty()) return "";
  const auto last = std::find_if(series.points.rbegin(), series.points.rend(),
                                 [&](const ChartPoint& point) { return shown(point, chart); });
  if (last == series.points.rend()) return "";
  constexpr double kArm = 5;
  const double px = x.place(last->x);
  const double py = y.place(last->y);
  return fmt::format("<path class=\"end\" d=\"M{0} {1}L{2} {3}M{0} {3}L{2} {1}\">{4}</path>",
                     coordinate(px - kArm), coordinate(py - kArm), coordinate(px + kArm),
                     coordinate(py + kArm),
                     svg_title(std::vector<std::string>{series.name + " ends here", series.end}));
}

std::string draw_series(const LineChart& chart, std::size_t index, const ChartScale& x,
                        const ChartScale& y) {
  const ChartSeries& series = chart.series[index];
  const std::size_t count = shown_points(series, chart);
  const bool with_markers = marked(series, chart);
  std::string out = fmt::format("<g class=\"s{}\"><path class=\"{}\" d=\"{}\"/>",
                                index % kChartColours, with_markers ? "curve" : "curve dense",
                                curve_path(thinned(series.points, chart, x), chart, x, y));
  const std::size_t every = with_markers ? 1 : (count + kMostTooltips - 1) / kMostTooltips;
  std::size_t number = 0;
  for (const ChartPoint& point : series.points) {
    if (!shown(point, chart) || number++ % every != 0) continue;
    const double px = x.place(point.x);
    const double py = y.place(point.y);
    const std::string shape =
        with_markers ? fmt::format("<path class=\"mark\" d=\"{}\">", marker_path(index, px, py))
                     : fmt::format("<path class=\"hit\" d=\"{}\">", marker_path(0, px, py, 9));
    out += fmt::format("{}{}</path>", shape, tooltip(chart, series, point));
  }
  return out + draw_end(chart, series, x, y) + "</g>";
}

std::string draw_marks(const LineChart& chart, const ChartScale& x, const Frame& frame) {
  std::string out;
  for (const ChartMark& mark : chart.marks) {
    if (!shown(mark.x, chart.x)) continue;
    const double at = x.place(mark.x);
    if (at < frame.left - 1 || at > frame.right + 1) continue;
    out += svg_line(at, frame.top, at, frame.bottom, "rule");
  }
  return out;
}

}  // namespace

std::string line_chart_svg(const LineChart& chart) {
  Frame frame{4, 26, chart.width - 18, chart.height - 44};
  std::vector<LegendEntry> legend;
  Extent x_extent;
  Extent y_extent;
  for (const ChartSeries& series : chart.series) {
    legend.push_back({series.name, marked(series, chart) ? Swatch::marked_line : Swatch::line});
    for (const ChartPoint& point : series.points) {
      if (!shown(point, chart)) continue;
      x_extent.add(point.x);
      y_extent.add(point.y);
    }
  }
  for (const ChartMark& mark : chart.marks) legend.push_back({mark.label, Swatch::rule});
  std::string out = begin_chart(chart.title, chart.width, chart.height);
  out += chart_legend(legend, frame);
  if (x_extent.low > x_extent.high) {
    out += svg_text(chart.width / 2, (frame.top + frame.bottom) / 2, "middle", "label",
                    "no values to show");
    return out + "</svg>";
  }
  frame.top += 26;
  ChartScale y(chart.y, y_extent.low, y_extent.high, true, (frame.bottom - frame.top) / 36);
  frame.left = 12 + y.label_width();
  const double wanted = (frame.right - frame.left) / 80;
  ChartScale x(chart.x, x_extent.low, x_extent.high, false, wanted);
  x.set_pixels(frame.left, frame.right);
  y.set_pixels(frame.bottom, frame.top);
  out += draw_axes(x, y, chart.x.label, chart.y.label, frame);
  out += draw_marks(chart, x, frame);
  for (std::size_t i = 0; i < chart.series.size(); ++i) out += draw_series(chart, i, x, y);
  return out + "</svg>";
}

}  // namespace diffuse
