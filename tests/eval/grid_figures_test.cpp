#include "diffuse/eval/grid_figures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "diffuse/base/significance.hpp"
#include "diffuse/eval/paired_comparison.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;

/// A run whose rows, from `first` on, are right where `answers` has a 1.
GridRun run_of(std::size_t combination, std::int64_t seed, const std::string& answers,
               std::uint64_t first = 1) {
  GridRun run{.combination = combination, .seed = seed, .loss = 1};
  double right = 0;
  for (const char answer : answers) {
    run.answers.push_back({first++, answer == '1'});
    right += answer == '1' ? 1 : 0;
  }
  run.rows = std::ssize(run.answers);
  run.accuracy = right / static_cast<double>(run.rows);
  return run;
}

std::vector<std::size_t> order_of(const std::vector<CombinationFigures>& all) {
  std::vector<std::size_t> order;
  for (const CombinationFigures& figures : all) order.push_back(figures.combination);
  return order;
}

TEST(GridFigures, RankByTheMeanOverTheSeeds) {
  std::vector<GridRun> runs = {run_of(0, 1, "1100"), run_of(0, 2, "1111"), run_of(1, 1, "1110"),
                               run_of(1, 2, "1110"), run_of(2, 1, "1111"), run_of(2, 2, "1111")};
  const auto all = grid_figures(runs, 3, ValidationMetric::accuracy);
  // 0 and 1 are equal, also in their loss: the grid's order.
  EXPECT_THAT(order_of(all), ElementsAre(2, 0, 1));
  EXPECT_DOUBLE_EQ(all[1].accuracy->mean, 0.75);
  EXPECT_NEAR(all[1].accuracy->deviation.value(), 0.35355339, 1e-8);
  EXPECT_EQ(all[1].seeds, 2);
  EXPECT_EQ(all[0].verdict, GridVerdict::best);
  EXPECT_FALSE(all[0].against_best);

  runs[2].loss = 0.5;  // of combination 1
  EXPECT_THAT(order_of(grid_figures(runs, 3, ValidationMetric::accuracy)), ElementsAre(2, 1, 0));
  EXPECT_THAT(order_of(grid_figures(runs, 3, ValidationMetric::loss)), ElementsAre(1, 0, 2));
  runs[0].macro_f1 = 0.9;
  runs[2].macro_f1 = 0.8;
  EXPECT_THAT(order_of(grid_figures(runs, 3, ValidationMetric::macro_f1)), ElementsAre(0, 1, 2));
}

TEST(GridFigures, ACombinationWithAFailureComesLast) {
  std::vector<GridRun> runs = {run_of(0, 1, "1111"), run_of(0, 2, "1111"), run_of(1, 1, "1000"),
                               run_of(1, 2, "1000")};
  runs[1].failure = "the loss is not finite";
  const auto all = grid_figures(runs, 2, ValidationMetric::accuracy);
  EXPECT_THAT(order_of(all), ElementsAre(1, 0));
  EXPECT_EQ(all[1].verdict, GridVerdict::failed);
  EXPECT_EQ(all[1].failed, 1);
  EXPECT_EQ(all[1].seeds, 1);
  EXPECT_FALSE(all[1].against_best);
  // Not a run, no figures.
  const auto none = grid_figures({}, 1, ValidationMetric::accuracy);
  EXPECT_EQ(none[0].verdict, GridVerdict::failed);
}

TEST(GridFigures, OfOneSeedAreComparedByMcNemarsTest) {
  const std::vector<GridRun> runs = {run_of(0, 1, "1111111111110"), run_of(1, 1, "0000000000011"),
                                     run_of(2, 1, "1111111111000")};
  const auto all = grid_figures(runs, 3, ValidationMetric::accuracy);
  ASSERT_THAT(order_of(all), ElementsAre(0, 2, 1));
  const GridComparison& comparison = all[2].against_best.value();
  EXPECT_EQ(comparison.rows, 13);
  EXPECT_EQ(comparison.best_right, 11);
  EXPECT_EQ(comparison.this_right, 1);
  EXPECT_NEAR(comparison.difference, 10.0 / 13, 1e-12);
  EXPECT_NEAR(comparison.rows_p, mcnemar_p_value(11, 1), 1e-12);
  EXPECT_EQ(comparison.seeds_p, std::nullopt);
  // Three combinations are three pairs.
  EXPECT_NEAR(comparison.rows_p_corrected, 3 * mcnemar_p_value(11, 1), 1e-12);
  EXPECT_EQ(all[2].verdict, GridVerdict::worse);
  EXPECT_NEAR(all[1].against_best->rows_p, 0.5, 1e-12);
  EXPECT_EQ(all[1].against_best->rows_p_corrected, 1);
  EXPECT_EQ(all[1].verdict, GridVerdict::equal);
}

TEST(GridFigures, ARowCountsOnceHoweverManySeedsHaveIt) {
  // Rows 1 to 4 with seed 1, 3 to 6 with seed 2: differences 1, 0, 1 + 1, -1 + 0, 0, 1.
  const std::vector<GridRun> runs = {run_of(0, 1, "1110"), run_of(0, 2, "1111", 3),
                                     run_of(1, 1, "0101"), run_of(1, 2, "0110", 3)};
  const auto all = grid_figures(runs, 2, ValidationMetric::accuracy);
  const GridComparison& comparison = all[1].against_best.value();
  EXPECT_EQ(comparison.rows, 6);
  EXPECT_EQ(comparison.best_right, 3);
  EXPECT_EQ(comparison.this_right, 1);
  EXPECT_NEAR(comparison.rows_p, sign_flip_p_value(std::vector<std::int64_t>{1, 2, -1, 1}), 1e-12);
  // By the seeds: 3/4 - 2/4 and 4/4 - 2/4.
  EXPECT_NEAR(comparison.difference, 0.375, 1e-12);
  EXPECT_NEAR(comparison.seeds_p.value(), paired_t_p_value(std::vector<double>{0.25, 0.5}).value(),
              1e-12);
}

TEST(GridFigures, AreComparedOnTheRowsOfBoth) {
  const std::vector<GridRun> runs = {run_of(0, 1, "1111"), run_of(1, 1, "0011", 3)};
  const auto all = grid_figures(runs, 2, ValidationMetric::accuracy);
  EXPECT_EQ(all[1].against_best->rows, 2);
  EXPECT_EQ(all[1].against_best->difference, 1);
  const std::vector<GridRun> apart = {run_of(0, 1, "11"), run_of(1, 1, "01", 7)};
  EXPECT_FALSE(grid_figures(apart, 2, ValidationMetric::accuracy)[1].against_best);
}

TEST(GridFigures, SeedsMustShowADifferenceToo) {
  const std::string all_right(40, '1');
  const std::string half = std::string(20, '1') + std::string(20, '0');
  std::vector<GridRun> runs = {run_of(0, 1, all_right), run_of(0, 2, all_right), run_of(1, 1, half),
                               run_of(1, 2, std::string(39, '1') + "0")};
  // Clear by the rows; the seeds differ by 0.5 and by 0.025.
  EXPECT_EQ(grid_figures(runs, 2, ValidationMetric::accuracy)[1].verdict, GridVerdict::rows_only);
  runs[3] = run_of(1, 2, std::string(21, '1') + std::string(19, '0'));
  EXPECT_EQ(grid_figures(runs, 2, ValidationMetric::accuracy)[1].verdict, GridVerdict::worse);
}

TEST(GridFigures, TheBestByAnotherFigureNeedNotBeMoreAccurate) {
  std::vector<GridRun> runs = {run_of(0, 1, std::string(40, '0')),
                               run_of(1, 1, std::string(40, '1'))};
  runs[0].loss = 0.5;
  const auto all = grid_figures(runs, 2, ValidationMetric::loss);
  EXPECT_EQ(all[0].combination, 0U);
  EXPECT_EQ(all[1].against_best->difference, -1);
  EXPECT_EQ(all[1].verdict, GridVerdict::equal);
}

}  // namespace
}  // namespace diffuse
