#include "diffuse/tune/successive_halving.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;

/// A configuration whose model.dim tells candidates apart.
Config of_dim(std::int64_t dim) { return default_config({{"model.dim", std::to_string(dim)}}); }

/// A score of `right` of 1,000 rows, the first ones.
TuningScore right_on(std::size_t right, double loss = 0) {
  std::vector<std::uint8_t> rows(1000, 0);
  std::fill(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(right), 1);
  return {.score = static_cast<double>(right) / 1000, .loss = loss, .right = rows};
}

/// A search among dims 1, 2, 3, ... of which each is right on as many rows as its dim; keeps what
/// was measured.
struct Search {
  std::int64_t next = 1;
  std::int64_t last = 1'000'000;
  std::size_t most_steps = 1'000'000;
  std::vector<std::string> steps{};

  TuningResult run(const Config& start, const TuningOptions& options,
                   const std::vector<Config>& recipes = {}) {
    return successive_halving(
        start, recipes, options,
        [&](const TuningStep& step) -> std::optional<TuningScore> {
          if (steps.size() == most_steps) return std::nullopt;
          steps.push_back(std::to_string(step.config.model.dim) + "@" + std::to_string(step.rung));
          return right_on(static_cast<std::size_t>(step.config.model.dim));
        },
        [&](const Config&) -> std::optional<Config> {
          if (next > last) return std::nullopt;
          return of_dim(next++);
        });
  }
};

TEST(SuccessiveHalving, KeepsAThirdOnEachRungAndTakesTheWinner) {
  Search search{.last = 9};
  const TuningResult result = search.run(of_dim(500), {.rungs = 3, .bracket = 9, .reduction = 3});
  EXPECT_THAT(search.steps, ElementsAre("500@2", "1@0", "2@0", "3@0", "4@0", "5@0", "6@0", "7@0",
                                        "8@0", "9@0", "9@1", "8@1", "7@1", "9@2"));
  EXPECT_EQ(result.best.model.dim, 500);
  EXPECT_EQ(result.candidates, 10U);
  EXPECT_EQ(result.brackets, 1U);

  Search better{.next = 600, .last = 608};
  EXPECT_EQ(better.run(of_dim(500), {}).best.model.dim, 608);
}

TEST(SuccessiveHalving, GoesOnWithBracketsFromTheBestUntilNothingIsLeft) {
  std::vector<std::int64_t> asked;
  std::int64_t next = 501;
  const TuningResult result = successive_halving(
      of_dim(500), {}, {.rungs = 1, .bracket = 2, .reduction = 3},
      [&](const TuningStep& step) {
        return right_on(static_cast<std::size_t>(step.config.model.dim));
      },
      [&](const Config& best) -> std::optional<Config> {
        asked.push_back(best.model.dim);
        if (next > 508) return std::nullopt;
        return of_dim(next++);
      });
  EXPECT_EQ(result.best.model.dim, 508);
  EXPECT_EQ(result.brackets, 4U);
  EXPECT_THAT(asked, ElementsAre(500, 500, 502, 502, 504, 504, 506, 506, 508));
}

TEST(SuccessiveHalving, RecipesAreInTheFirstBracketAndNothingIsMeasuredTwice) {
  Search search{.next = 500, .last = 502};
  search.run(of_dim(501), {.rungs = 1, .bracket = 3}, {of_dim(300), of_dim(500), of_dim(300)});
  EXPECT_THAT(search.steps, ElementsAre("501@0", "300@0", "500@0", "502@0"));
}

TEST(SuccessiveHalving, WhatTheBudgetCutsOffIsNotTaken) {
  Search search{.next = 600, .most_steps = 12};  // the start, nine, and two of the second rung
  const TuningResult result = search.run(of_dim(500), {});
  EXPECT_EQ(search.steps.size(), 12U);
  EXPECT_EQ(result.best.model.dim, 500);
  EXPECT_EQ(result.brackets, 0U);
  Search none{.most_steps = 0};
  EXPECT_EQ(none.run(of_dim(500), {}).best.model.dim, 500);
}

TEST(SuccessiveHalving, ABracketIsAsLargeAsThereIsTimeFor) {
  Search search{.next = 1};
  TuningOptions options{.rungs = 2, .bracket = 9, .reduction = 3};
  std::vector<std::size_t> sizes = {2, 4, 20, 0};  // the third is more than a bracket
  auto size = sizes.begin();
  options.affordable = [&] { return *size++; };
  const TuningResult result =
      search.run(of_dim(500), options, {of_dim(300), of_dim(301), of_dim(302)});
  EXPECT_THAT(search.steps, ElementsAre("500@1", "300@0", "301@0", "301@1", "302@0", "1@0", "2@0",
                                        "3@0", "302@1", "3@1", "4@0", "5@0", "6@0", "7@0", "8@0",
                                        "9@0", "10@0", "11@0", "12@0", "12@1", "11@1", "10@1"))
      << "a recipe that did not fit into one bracket is in the next";
  EXPECT_EQ(result.brackets, 3U);
}

TEST(SuccessiveHalving, TheLossDecidesBetweenEqualScores) {
  std::int64_t next = 1;
  std::vector<std::int64_t> last_rung;
  successive_halving(
      of_dim(500), {}, {.rungs = 2, .bracket = 3, .reduction = 3},
      [&](const TuningStep& step) {
        if (step.rung == 1) last_rung.push_back(step.config.model.dim);
        return right_on(700, step.config.model.dim == 2 ? 0.1 : 0.2);
      },
      [&](const Config&) -> std::optional<Config> {
        if (next > 3) return std::nullopt;
        return of_dim(next++);
      });
  EXPECT_THAT(last_rung, ElementsAre(500, 2));
}

TEST(SuccessiveHalving, RefusesRungsOfNothing) {
  EXPECT_THROW(Search{}.run(of_dim(1), {.rungs = 0}), Error);
  EXPECT_THROW(Search{}.run(of_dim(1), {.bracket = 0}), Error);
  EXPECT_THROW(Search{}.run(of_dim(1), {.reduction = 0}), Error);
}

TEST(IsBetter, AsksForMoreThanTheStandardErrorOfTheDifference) {
  TuningScore best = right_on(500);
  TuningScore challenger = best;
  // Gains 10 rows, loses 5: sqrt(15) = 3.9 < 5.
  for (std::size_t i = 500; i < 510; ++i) challenger.right[i] = 1;
  for (std::size_t i = 0; i < 5; ++i) challenger.right[i] = 0;
  challenger.score = 0.505;
  EXPECT_TRUE(is_better(challenger, best, true));
  // Gains 10, loses 7: sqrt(17) = 4.1 > 3.
  for (std::size_t i = 5; i < 7; ++i) challenger.right[i] = 0;
  challenger.score = 0.503;
  EXPECT_FALSE(is_better(challenger, best, true));
  EXPECT_TRUE(is_better(challenger, best, false));
  EXPECT_FALSE(is_better(best, best, true));
  EXPECT_FALSE(is_better(best, best, false));
  best.right.pop_back();
  EXPECT_THROW(is_better(challenger, best, true), Error);
}

}  // namespace
}  // namespace diffuse
