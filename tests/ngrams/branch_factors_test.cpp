#include "diffuse/ngrams/branch_factors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

/// Labels drawn from softmax(a · network + b · ngrams) of random logits.
struct Drawn {
  Drawn(std::size_t n, std::size_t classes, double a, double b) {
    Random random(3);
    const auto normal = [&] {
      double sum = -6;
      for (int k = 0; k < 12; ++k)
        sum += static_cast<double>(random.next() >> 11) / static_cast<double>(1ULL << 53);
      return static_cast<float>(sum);
    };
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> shares;
      double all = 0;
      for (std::size_t c = 0; c < classes; ++c) {
        network.push_back(normal());
        ngrams.push_back(normal());
        shares.push_back(std::exp(a * static_cast<double>(network.back()) +
                                  b * static_cast<double>(ngrams.back())));
        all += shares.back();
      }
      double place =
          all * static_cast<double>(random.next() >> 11) / static_cast<double>(1ULL << 53);
      std::int32_t label = 0;
      while (label + 1 < static_cast<std::int32_t>(classes) &&
             place > shares[static_cast<std::size_t>(label)])
        place -= shares[static_cast<std::size_t>(label++)];
      gold.push_back(label);
    }
  }

  std::vector<float> network;
  std::vector<float> ngrams;
  std::vector<std::int32_t> gold;
};

Gold gold_of(const std::vector<std::int32_t>& labels, std::size_t classes) {
  return {.classes = static_cast<std::int64_t>(classes), .labels = labels};
}

double mean_loss(const Drawn& rows, std::size_t classes, double a, double b) {
  double loss = 0;
  for (std::size_t i = 0; i < rows.gold.size(); ++i) {
    double sum = 0;
    double own = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      const double logit = a * static_cast<double>(rows.network[i * classes + c]) +
                           b * static_cast<double>(rows.ngrams[i * classes + c]);
      sum += std::exp(logit);
      if (static_cast<std::int32_t>(c) == rows.gold[i]) own = logit;
    }
    loss += std::log(sum) - own;
  }
  return loss / static_cast<double>(rows.gold.size());
}

TEST(BranchFactors, AreThoseThatTheLabelsWereDrawnWith) {
  for (const std::size_t classes : {2U, 5U}) {
    const Drawn rows(20'000, classes, 0.7, 1.9);
    const BranchFactors found =
        fit_factors(rows.network, rows.ngrams, gold_of(rows.gold, classes), {1, 3});
    EXPECT_NEAR(found.network, 0.7, 0.06);
    EXPECT_NEAR(found.ngrams, 1.9, 0.1);
    const double least = mean_loss(rows, classes, found.network, found.ngrams);
    for (const double shift : {-0.1, 0.1}) {
      EXPECT_GT(mean_loss(rows, classes, found.network + shift, found.ngrams), least);
      EXPECT_GT(mean_loss(rows, classes, found.network, found.ngrams + shift), least);
    }
  }
}

TEST(BranchFactors, AreNeverBelowZero) {
  const Drawn rows(2000, 3, 1, -0.8);
  const BranchFactors found = fit_factors(rows.network, rows.ngrams, gold_of(rows.gold, 3), {1, 1});
  EXPECT_EQ(found.ngrams, 0);
  EXPECT_NEAR(found.network, 0.8, 0.3);
}

TEST(BranchFactors, StayFiniteWithoutAnError) {
  const std::vector<float> logits = {2, -2, -2, 2, 2, -2};
  const std::vector<std::int32_t> gold = {0, 1, 0};
  const BranchFactors found = fit_factors(logits, logits, gold_of(gold, 2), {1, 2});
  EXPECT_GE(found.network, 1);
  EXPECT_LT(found.network + found.ngrams, 10);
}

TEST(BranchFactors, OneThatStartsAtZeroStaysThere) {
  const Drawn rows(2000, 3, 1, 1);
  const BranchFactors found = fit_factors(rows.network, rows.ngrams, gold_of(rows.gold, 3), {0, 2});
  EXPECT_EQ(found.network, 0);
  EXPECT_GT(found.ngrams, 0.5);
}

TEST(BranchFactors, RowsWithoutALabelCountNowhere) {
  Drawn rows(500, 3, 1, 1);
  const BranchFactors before =
      fit_factors(rows.network, rows.ngrams, gold_of(rows.gold, 3), {1, 1});
  for (int k = 0; k < 3; ++k) {
    rows.network.push_back(5);
    rows.ngrams.push_back(-5);
  }
  rows.gold.push_back(-1);
  EXPECT_EQ(fit_factors(rows.network, rows.ngrams, gold_of(rows.gold, 3), {1, 1}), before);
}

TEST(BranchFactors, OfSeveralLabelsMakeEachOfThemLikely) {
  // Each label is drawn by itself, with the probability sigmoid(0.6 network + 2 ngrams).
  constexpr std::size_t kClasses = 3;
  Drawn rows(8000, kClasses, 1, 1);
  Random random(5);
  Gold gold{.classes = kClasses, .labels = std::vector<std::int32_t>(8000, -1), .several = true};
  gold.unknown.resize(8000);
  for (std::size_t i = 0; i < rows.network.size(); ++i) {
    const double logit =
        0.6 * static_cast<double>(rows.network[i]) + 2 * static_cast<double>(rows.ngrams[i]);
    const double drawn = static_cast<double>(random.next() >> 11) / static_cast<double>(1ULL << 53);
    gold.has.push_back(drawn < 1 / (1 + std::exp(-logit)) ? 1 : 0);
  }
  const BranchFactors found = fit_factors(rows.network, rows.ngrams, gold, {1, 3});
  EXPECT_NEAR(found.network, 0.6, 0.06);
  EXPECT_NEAR(found.ngrams, 2, 0.1);
  const double least = mean_loss(rows.network, rows.ngrams, gold, found);
  for (const double shift : {-0.1, 0.1})
    EXPECT_GT(mean_loss(rows.network, rows.ngrams, gold, {found.network + shift, found.ngrams}),
              least);
}

TEST(BranchFactors, OfSeveralLabelsHaveTheLossOfEachTogether) {
  const Gold gold{.classes = 2, .labels = {0}, .several = true, .has = {1, 0}, .unknown = {0}};
  const std::vector<float> logits = {1, -2};
  const std::vector<float> none = {0, 0};
  // ln(1 + e^-1) + ln(1 + e^-2)
  EXPECT_NEAR(mean_loss(logits, none, gold, {1, 0}), 0.3132617 + 0.1269280, 1e-6);
}

TEST(AddBranches, AddsWithTheirFactors) {
  std::vector<float> network = {1, 2};
  add_branches(network, std::vector<float>{10, 20}, {0.5, 2});
  EXPECT_EQ(network, (std::vector<float>{20.5F, 41.0F}));
}

TEST(AccuracyOf, CountsRowsWhoseLargestLogitIsTheLabels) {
  EXPECT_EQ(accuracy_of(std::vector<float>{1, 2, 3, 0, 5, 4, 1, 0}, gold_of({1, 0, 1, -1}, 2)),
            0.5);
  EXPECT_EQ(accuracy_of({}, gold_of({}, 2)), 0);
}

TEST(AccuracyOf, OfSeveralLabelsCountsRowsOfWhichAllAreRight) {
  const Gold gold{.classes = 2,
                  .labels = {0, -1, 1, 0},
                  .several = true,
                  .has = {1, 0, 0, 0, 1, 1, 1, 0},
                  .unknown = {0, 0, 0, 1}};
  EXPECT_EQ(accuracy_of(std::vector<float>{1, -1, -1, -2, 1, -0.5, 1, -1}, gold), 0.5)
      << "right, right without any, one missed, one that the model lacks";
}

}  // namespace
}  // namespace diffuse
