#include "diffuse/report/grid_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/report/svg_chart.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Two combinations with two seeds, and one that failed.
GridReport small_report() {
  GridReport report{.name = "my <grid>",
                    .keys = {"model.dim", "train.length"},
                    .values = {{"64", "3e"}, {"128", "3e"}, {"64", "<9e>"}},
                    .figures = {},
                    .runs = {},
                    .seeds = 2,
                    .rows = 1200};
  report.figures = {{.combination = 1,
                     .seeds = 2,
                     .accuracy = Spread{0.97214, 0.0031},
                     .macro_f1 = Spread{0.9312, 0.004},
                     .loss = Spread{0.1, 0.01},
                     .training_time_s = Spread{4.1, 0.1},
                     .verdict = GridVerdict::best},
                    {.combination = 0,
                     .seeds = 2,
                     .accuracy = Spread{0.96, 0.001},
                     .macro_f1 = {},
                     .loss = Spread{0.2, 0.01},
                     .training_time_s = Spread{2, 0.1},
                     .against_best = GridComparison{.difference = 0.01214,
                                                    .rows = 1200,
                                                    .rows_p_corrected = 0.00123,
                                                    .seeds_p_corrected = 1e-12},
                     .verdict = GridVerdict::worse},
                    {.combination = 2, .seeds = 1, .failed = 1, .verdict = GridVerdict::failed}};
  report.runs = {{.combination = 1, .seed = 1, .accuracy = 0.97},
                 {.combination = 1, .seed = 2, .accuracy = 0.974},
                 {.combination = 2, .seed = 2, .failure = "the loss is <not> finite"}};
  return report;
}

TEST(GridReport, TheTableHasALineForEachCombination) {
  std::size_t left_columns = 0;
  const auto cells = grid_cells(small_report(), left_columns);
  EXPECT_EQ(left_columns, 3U);
  ASSERT_EQ(cells.size(), 4U);
  EXPECT_THAT(cells[0],
              ElementsAre("#", "model.dim", "train.length", "seeds", "accuracy", "macro-F1", "loss",
                          "training time", "to the best", "p by rows", "p by seeds"));
  EXPECT_THAT(cells[1], ElementsAre("2", "128", "3e", "2", "97.21 % ± 0.31", "0.9312 ± 0.0040",
                                    "0.1000 ± 0.0100", "4.1s", "", "", ""));
  EXPECT_THAT(cells[2], ElementsAre("1", "64", "3e", "2", "96.00 % ± 0.10", "n/a",
                                    "0.2000 ± 0.0100", "2.0s", "-1.21", "0.0012", "< 1e-9"));
  EXPECT_THAT(cells[3], ElementsAre("3", "64", "<9e>", "1, 1 failed", "n/a", "n/a", "n/a", "n/a",
                                    "", "", ""));
}

TEST(GridReport, OneSeedHasNoDeviationAndOneCombinationNoComparison) {
  GridReport report = small_report();
  report.seeds = 1;
  report.figures.resize(2);
  report.figures[0].accuracy->deviation.reset();
  std::size_t left_columns = 0;
  auto cells = grid_cells(report, left_columns);
  EXPECT_EQ(cells[0].back(), "p by rows");
  EXPECT_EQ(cells[1][4], "97.21 %");
  report.figures[1].against_best->difference = -1e-9;
  EXPECT_EQ(grid_cells(report, left_columns)[2][8], "0.00");
  report.figures.resize(1);
  cells = grid_cells(report, left_columns);
  EXPECT_EQ(cells[0].back(), "training time");
  EXPECT_THAT(grid_remarks(report), Not(::testing::Contains(HasSubstr("Holm"))));
}

TEST(GridReport, RemarksSayWhatIsToldApart) {
  GridReport report = small_report();
  EXPECT_THAT(grid_remarks(report),
              ElementsAre("Less accurate than the best (corrected p below 0.05): 1",
                          "Without figures for all seeds, and not compared: 3",
                          "p values are corrected by Holm's rule for the one pair",
                          "3, seed 2 failed: the loss is <not> finite"));
  report.figures[1].verdict = GridVerdict::rows_only;
  report.figures[2].verdict = GridVerdict::equal;
  report.runs.clear();
  EXPECT_THAT(grid_remarks(report),
              ElementsAre("Less accurate on these rows; too few seeds to say so of others: 1",
                          "Not told apart from the best (corrected p of 0.05 or more): 3",
                          "p values are corrected by Holm's rule for all 3 pairs of combinations"));
}

TEST(GridReport, ThePageIsWholeInItself) {
  const std::string html = grid_report_html(small_report());
  EXPECT_THAT(html, AllOf(HasSubstr("<title>my &lt;grid&gt;</title>"), HasSubstr("</html>"),
                          HasSubstr("Best: <strong>model.dim = 128, train.length = 3e</strong>"),
                          HasSubstr("97.21 % ± 0.31"), HasSubstr("the loss is &lt;not&gt; finite"),
                          HasSubstr("validation accuracy (%)")));
  EXPECT_THAT(html,
              AllOf(Not(HasSubstr("<script")), Not(HasSubstr("src=")), Not(HasSubstr("<9e>"))));
}

TEST(SpreadChart, HasAMarkForEachRowAndABarForItsDeviation) {
  const SpreadChart chart{.title = "Title",
                          .x_label = "accuracy (%)",
                          .rows = {{"first", 95, 1.0, {94, 96}}, {"<second>", 90, {}, {}}}};
  const std::string svg = spread_chart_svg(chart);
  const auto count = [&](const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = svg.find(part, at)) != std::string::npos; at += part.size())
      ++found;
    return found;
  };
  EXPECT_EQ(count("class=\"mark s0\""), 2U);
  EXPECT_EQ(count("class=\"value s1\""), 2U);
  EXPECT_EQ(count("class=\"spread s0\""), 3U);  // the bar and its ends
  EXPECT_THAT(svg, AllOf(HasSubstr("&lt;second&gt;"), HasSubstr("standard deviation: 1"),
                         HasSubstr("accuracy (%)"), Not(HasSubstr("nan"))));
  EXPECT_THAT(spread_chart_svg({.title = "None", .x_label = "x", .rows = {}}),
              HasSubstr("no values to show"));
}

}  // namespace
}  // namespace diffuse
