#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/eval/metrics.hpp"

namespace diffuse {

/// Charts as SVG elements without scripts. They scale with the width they are given, show a
/// point's figures as a tooltip and take their colours from `chart_css`, which knows light and dark
/// pages. Texts are escaped; names that are too long are cut and whole in the tooltip.

enum class Scale { linear, logarithmic };

struct ChartAxis {
  std::string label;  ///< with the unit: "time (s)"
  Scale scale = Scale::linear;
  bool from_zero = false;  ///< a linear axis begins at 0 even where the values do not
};

struct ChartPoint {
  double x = 0;
  double y = 0;  ///< where it is not finite, or not positive on a logarithmic axis, is a gap
};

struct ChartSeries {
  std::string name;
  std::vector<ChartPoint> points;  ///< in the order in which they are joined
  std::string end{};               ///< why it ends at its last point; drawn as a cross there
};

/// A vertical line, named in the legend.
struct ChartMark {
  double x = 0;
  std::string label;
};

struct LineChart {
  std::string title;
  ChartAxis x;
  ChartAxis y;
  std::vector<ChartSeries> series;
  std::vector<ChartMark> marks{};
  double width = 560;   ///< in CSS pixels, before scaling
  double height = 300;  ///< of the whole chart, with title and legend
};

struct ChartBar {
  std::string label;
  std::vector<double> values;  ///< one a part, from the bottom; not finite or negative counts as 0
};

struct StackedBarChart {
  std::string title;
  std::string x_label;
  std::string y_label;             ///< with the unit
  std::vector<std::string> parts;  ///< what a bar is made of
  std::vector<ChartBar> bars;
  double width = 560;
  double height = 300;
};

/// A line of a SpreadChart.
struct SpreadRow {
  std::string label;
  double mean = 0;
  std::optional<double> deviation{};  ///< drawn as a bar of one to each side
  std::vector<double> values{};       ///< small marks
};

struct SpreadChart {
  std::string title;
  std::string x_label;  ///< with the unit
  std::vector<SpreadRow> rows;
  double width = 720;  ///< in CSS pixels, before scaling; the height grows with the rows
};

/// Curves of any number of series (colours repeat after 8). Series of at most 40 points have
/// markers. A curve of more points than the chart has columns is drawn by the smallest and largest
/// value of each column. Without a single point to show the chart says so.
std::string line_chart_svg(const LineChart& chart);

/// A bar for each entry, divided by parts. Throws Error if a bar has not one value a part.
std::string stacked_bar_chart_svg(const StackedBarChart& chart);

/// A line for each row, from the top: its mean, its deviation and its values. Without rows the
/// chart says so.
std::string spread_chart_svg(const SpreadChart& chart);

/// Accuracy over confidence, as a bar for each bin that has rows, beside the diagonal of perfect
/// calibration; below it the share of rows in each bin. `bins` are of equal width, as
/// `calibration_bins` gives them.
std::string reliability_diagram_svg(std::span<const CalibrationBin> bins);

/// The style sheet of all charts, for the `<style>` of the page that holds them.
std::string chart_css();

/// `chart`, as one of the functions above returns it, as a file of its own.
std::string standalone_svg(std::string_view chart);

}  // namespace diffuse
