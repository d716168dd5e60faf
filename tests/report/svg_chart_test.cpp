#include "diffuse/report/svg_chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>
#include <string>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at)
    found.push_back((*at)[1]);
  return found;
}

/// What stands after each `begin`, up to the next `end`. (A regex of long matches exhausts the
/// stack.)
std::vector<std::string> all_between(const std::string& text, const std::string& begin, char end) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    at += begin.size();
    found.push_back(text.substr(at, text.find(end, at) - at));
  }
  return found;
}

/// The labels of the ticks, those of y first.
std::vector<std::string> ticks(const std::string& svg) {
  return all_between(svg, "class=\"tick\">", '<');
}

/// The `d` of the first curve that is not of the legend.
std::string curve(const std::string& svg) {
  auto all = all_between(svg, "<path class=\"curve\" d=\"", '"');
  if (all.empty()) all = all_between(svg, "<path class=\"curve dense\" d=\"", '"');
  return all.empty() ? "" : all.back();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++found;
  return found;
}

LineChart chart_of(std::vector<ChartPoint> points) {
  return {"Title", {"x"}, {"y"}, {{"series", std::move(points)}}};
}

TEST(LineChart, TicksAreRoundAndHoldTheValues) {
  LineChart chart = chart_of({{0, 0.13}, {100, 0.87}});
  EXPECT_THAT(ticks(line_chart_svg(chart)), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0", "0",
                                                        "20", "40", "60", "80", "100"));
  chart = chart_of({{0, 180'000}, {6760, 199'000}});
  chart.y.from_zero = true;
  EXPECT_THAT(ticks(line_chart_svg(chart)),
              ElementsAre("0", "50k", "100k", "150k", "200k", "0", "2,000", "4,000", "6,000"));
  chart = chart_of({{0, 2e-5}, {1, 1.9e-4}});
  EXPECT_THAT(ticks(line_chart_svg(chart)), ElementsAre("0", "0.5e-4", "1e-4", "1.5e-4", "2e-4",
                                                        "0", "0.2", "0.4", "0.6", "0.8", "1.0"));
}

TEST(LineChart, ASingleValueHasAnAxisAroundIt) {
  for (const double value : {0.0, 1.0, -5.0, 1e-300, 1e300}) {
    const std::string svg = line_chart_svg(chart_of({{value, value}}));
    EXPECT_THAT(svg, Not(HasSubstr("nan"))) << value;
    EXPECT_THAT(svg, Not(HasSubstr("inf"))) << value;
    EXPECT_GE(ticks(svg).size(), 2U) << value;
  }
}

TEST(LineChart, LogarithmicAxes) {
  LineChart chart = chart_of({{1, 10}, {10, 100}, {100, 10'000}});
  chart.x.scale = chart.y.scale = Scale::logarithmic;
  const std::string svg = line_chart_svg(chart);
  EXPECT_THAT(ticks(svg), ElementsAre("10", "100", "1k", "10k", "1", "10", "100"));
  // Equal ratios are equal distances: y goes up by one and by two thirds of the axis.
  const auto places = all_matches(curve(svg), "[ML][0-9.]+ ([0-9.]+)");
  ASSERT_EQ(places.size(), 3U);
  const double first = std::stod(places[0]) - std::stod(places[1]);
  const double second = std::stod(places[1]) - std::stod(places[2]);
  EXPECT_NEAR(second, 2 * first, 0.3);
}

TEST(LineChart, LogarithmicAxisOfLessThanADecade) {
  LineChart chart = chart_of({{0, 0.02}, {1, 0.07}});
  chart.y.scale = Scale::logarithmic;
  const auto labels = ticks(line_chart_svg(chart));
  EXPECT_THAT(labels, ::testing::IsSupersetOf({"0.02", "0.05"}));
}

TEST(LineChart, ALogarithmicAxisLeavesOutWhatIsNotPositive) {
  LineChart chart = chart_of({{0, 1}, {1, 0}, {2, -3}, {3, 10}});
  chart.y.scale = Scale::logarithmic;
  EXPECT_EQ(count(line_chart_svg(chart), "class=\"mark\""), 2U);
}

TEST(LineChart, MissingValuesAreGaps) {
  const std::string svg = line_chart_svg(
      chart_of({{0, 1}, {1, 2}, {2, kNaN}, {3, std::numeric_limits<double>::infinity()}, {4, 1}}));
  EXPECT_EQ(count(curve(svg), "M"), 2U);
  EXPECT_EQ(count(curve(svg), "L"), 1U);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LineChart, FewPointsHaveMarkersAndAllHaveTooltips) {
  std::vector<ChartPoint> points;
  for (int i = 0; i < 40; ++i) points.push_back({static_cast<double>(i), 0.5});
  EXPECT_EQ(count(line_chart_svg(chart_of(points)), "class=\"mark\""), 40U);
  points.push_back({1234, 0.25});
  const std::string svg = line_chart_svg(chart_of(points));
  EXPECT_EQ(count(svg, "class=\"mark\""), 0U);
  EXPECT_EQ(count(svg, "class=\"hit\""), 41U);
  EXPECT_THAT(svg, HasSubstr("<title>series\nx: 1,234\ny: 0.25</title>"));
}

TEST(LineChart, VeryManyPointsKeepTheirPeaks) {
  std::vector<ChartPoint> points;
  for (int i = 0; i < 100'000; ++i) points.push_back({static_cast<double>(i), i == 5 ? 9.0 : 1.0});
  const std::string svg = line_chart_svg(chart_of(points));
  EXPECT_LT(svg.size(), 100'000U);
  // The peak: the top of the axis is 10.
  double highest = 1e9;
  for (const std::string& y : all_matches(curve(svg), "[ML][0-9.]+ ([0-9.]+)"))
    highest = std::min(highest, std::stod(y));
  EXPECT_LT(highest, 100);
}

TEST(LineChart, LegendForSeveralSeriesOnly) {
  LineChart chart = chart_of({{0, 1}});
  EXPECT_EQ(count(line_chart_svg(chart), ">series<"), 0U);
  chart.series.push_back({"other", {{0, 2}}});
  const std::string svg = line_chart_svg(chart);
  EXPECT_EQ(count(svg, ">series<"), 1U);
  EXPECT_EQ(count(svg, ">other<"), 1U);
  EXPECT_EQ(count(svg, "class=\"s1\""), 2U);
}

TEST(LineChart, TextsAreEscapedAndLongNamesCut) {
  LineChart chart = chart_of({{0, 1}});
  chart.title = "<script>\"'&";
  chart.marks = {{0, "<b>"}};
  chart.series[0].name = "<i>" + std::string(60, 'x');
  chart.series.push_back({"other", {{0, 2}}});
  const std::string svg = line_chart_svg(chart);
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, HasSubstr("aria-label=\"&lt;script&gt;&quot;&#39;&amp;\""));
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(svg, HasSubstr("<title>&lt;i&gt;" + std::string(60, 'x')));
  EXPECT_THAT(svg, HasSubstr(">&lt;i&gt;" + std::string(36, 'x') + "…<"));
}

TEST(LineChart, MarksAreLinesAndNamedInTheLegend) {
  LineChart chart = chart_of({{0, 1}, {10, 2}});
  chart.marks = {{5, "best"}, {99, "outside"}};
  const std::string svg = line_chart_svg(chart);
  EXPECT_EQ(count(svg, ">best</text>"), 1U);
  // Two of the legend, and the one that lies within the axis.
  EXPECT_EQ(count(svg, "class=\"rule\""), 3U);
}

TEST(LineChart, NothingToShow) {
  EXPECT_THAT(line_chart_svg(chart_of({})), HasSubstr("no values to show"));
  EXPECT_THAT(line_chart_svg(chart_of({{0, kNaN}})), HasSubstr("no values to show"));
  EXPECT_THAT(line_chart_svg({"t", {}, {}, {}}), HasSubstr("no values to show"));
}

StackedBarChart bars() {
  return {"Time", "epoch", "time (s)", {"data", "forward"}, {{"1", {1, 3}}, {"2", {0, 4}}}};
}

TEST(StackedBars, PartsAndTheirTooltips) {
  const std::string svg = stacked_bar_chart_svg(bars());
  EXPECT_THAT(svg, HasSubstr("<title>epoch 1\ndata: 1 (25.0 %)\ntime (s), all: 4</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>epoch 2\nforward: 4 (100.0 %)\ntime (s), all: 4</title>"));
  // Three parts with a height, and two of the legend.
  EXPECT_EQ(count(svg, "class=\"fill "), 5U);
  EXPECT_THAT(ticks(svg), ElementsAre("0", "1", "2", "3", "4", "1", "2"));
}

TEST(StackedBars, LabelsOfManyBarsAreThinned) {
  StackedBarChart chart = bars();
  chart.bars.clear();
  for (int i = 1; i <= 100; ++i) chart.bars.push_back({std::to_string(i), {1, 1}});
  const auto labels = ticks(stacked_bar_chart_svg(chart));
  EXPECT_LT(labels.size(), 30U);
  EXPECT_EQ(labels.back(), "100");
}

TEST(StackedBars, WhatIsNoHeightCountsAsNone) {
  StackedBarChart chart = bars();
  chart.bars = {{"1", {kNaN, -1}}};
  EXPECT_THAT(stacked_bar_chart_svg(chart), HasSubstr("no values to show"));
}

TEST(StackedBars, RefusesABarOfOtherParts) {
  StackedBarChart chart = bars();
  chart.bars[1].values = {1};
  try {
    stacked_bar_chart_svg(chart);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "The bar \"2\" has 1 values, but the chart has 2 parts.");
  }
}

TEST(Reliability, ABarForEachBinWithRows) {
  std::vector<CalibrationBin> bins(15);
  bins[14] = {30, 0.98, 0.9};
  bins[7] = {10, 0.5, 0.6};
  const std::string svg = reliability_diagram_svg(bins);
  EXPECT_THAT(svg, HasSubstr("<title>confidence 93.3 to 100.0 %\nrows: 30 (75.0 %)\nmean "
                             "confidence: 98.00 %\naccuracy: 90.00 %</title>"));
  // Accuracy, confidence and share for each of the two, and two of the legend.
  EXPECT_EQ(count(svg, "class=\"fill "), 8U);
}

TEST(Reliability, WithoutRows) {
  EXPECT_THAT(reliability_diagram_svg(std::vector<CalibrationBin>(15)),
              HasSubstr("no values to show"));
}

TEST(ChartStyle, KnowsDarkPages) {
  EXPECT_THAT(chart_css(), HasSubstr("prefers-color-scheme: dark"));
}

TEST(ChartStyle, AChartAsAFile) {
  const std::string file = standalone_svg(line_chart_svg(chart_of({{0, 1}})));
  EXPECT_EQ(file.find("<svg xmlns=\"http://www.w3.org/2000/svg\""), 0U);
  EXPECT_EQ(count(file, "<style>"), 1U);
  try {
    standalone_svg("<p>");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "A chart file is made of the text of one chart, which begins with <svg.");
  }
}

}  // namespace
}  // namespace diffuse
