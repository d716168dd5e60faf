#include "diffuse/eval/temperature.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <cmath>
#include <vector>

#include "diffuse/base/random.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/eval/metrics.hpp"

namespace diffuse {
namespace {

/// DrawnRows of two classes whose logit difference is `scale` times what their label was drawn by.
struct DrawnRows {
  DrawnRows(std::size_t n, double scale) {
    Random random(1);
    for (std::size_t i = 0; i < n; ++i) {
      const double z = static_cast<double>(random.below(8000)) / 1000.0 - 4;
      const double p = 1 / (1 + std::exp(-z));
      logits.push_back(static_cast<float>(scale * z));
      logits.push_back(0);
      gold.push_back(static_cast<double>(random.below(1'000'000)) / 1e6 < p ? 0 : 1);
    }
  }
  std::vector<float> logits;
  std::vector<std::int32_t> gold;
};

TEST(Temperature, UndoesWhatLogitsAreTooLargeOrTooSmallBy) {
  for (const double scale : {0.25, 1.0, 4.0}) {
    const DrawnRows rows(20000, scale);
    EXPECT_NEAR(fit_temperature(rows.logits, rows.gold, 2) / scale, 1, 0.05) << scale;
  }
}

TEST(Temperature, CalibratesAndKeepsEveryAnswer) {
  const DrawnRows rows(20000, 5);
  std::vector<float> logits = rows.logits;
  const auto ece = [&] {
    return expected_calibration_error(
        calibration_bins(class_probabilities(logits, 2), rows.gold, 2));
  };
  const double before = ece();
  const std::vector<std::int32_t> answers = predicted_classes(logits, 2);
  apply_temperature(logits, fit_temperature(logits, rows.gold, 2));
  EXPECT_GT(before, 0.1);
  EXPECT_LT(ece(), 0.02);
  EXPECT_EQ(predicted_classes(logits, 2), answers);
}

TEST(Temperature, OfFewRowsWithoutAnErrorIsNotZero) {
  const std::vector<float> logits = {3, 0, 0, 3, 2, 0};
  const std::vector<std::int32_t> gold = {0, 1, 0};
  const double temperature = fit_temperature(logits, gold, 2);
  EXPECT_GT(temperature, 0.3);
  EXPECT_LT(temperature, 1);
}

TEST(Temperature, OfAnswersWorseThanChanceStaysFinite) {
  std::vector<float> logits;
  std::vector<std::int32_t> gold;
  for (int i = 0; i < 1000; ++i) {
    logits.insert(logits.end(), {5, 0});
    gold.push_back(1);
  }
  EXPECT_EQ(fit_temperature(logits, gold, 2), 20);
}

TEST(Temperature, OfOneChangesNoBit) {
  std::vector<float> logits = {0.1F, 0.2F, -3.3F};
  const std::vector<float> before = logits;
  apply_temperature(logits, 1);
  EXPECT_EQ(logits, before);
}

TEST(Temperature, TellsTheAnswersAsTheProbabilitiesWould) {
  std::vector<float> logits = {3, 1, 0, -2, 0.5F, 0.25F, 1, 1, 4};
  const std::vector<std::int32_t> gold = {0, 2, 2};
  const std::vector<Answered> found = answered_at(logits, gold, 3, 1.7);
  apply_temperature(logits, 1.7);
  const std::vector<float> probabilities = class_probabilities(logits, 3);
  for (std::size_t row = 0; row < 3; ++row)
    EXPECT_NEAR(found[row].confidence,
                *std::max_element(&probabilities[row * 3], &probabilities[row * 3] + 3), 1e-6);
  EXPECT_TRUE(found[0].right);
  EXPECT_FALSE(found[1].right);
  EXPECT_TRUE(found[2].right);
}

TEST(Temperature, OfManyLogitsIsThatOfSomeRows) {
  // Two classes, right in three of four: the same in each stretch of rows.
  std::vector<float> logits;
  std::vector<std::int32_t> gold;
  for (int row = 0; row < 1'000'000; ++row) {
    logits.insert(logits.end(), {6, 0});
    gold.push_back(row / 8 % 4 == 0 ? 1 : 0);
  }
  EXPECT_NEAR(fit_temperature(logits, gold, 2), 6 / std::log(3.0), 0.01);
}

}  // namespace
}  // namespace diffuse
