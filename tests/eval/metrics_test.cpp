#include "diffuse/eval/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

std::string message_of(const std::vector<float>& probabilities,
                       const std::vector<std::int32_t>& gold, std::int64_t class_count) {
  try {
    compute_metrics(probabilities, gold, class_count);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Four rows, three classes; class 2 occurs nowhere, class 1 is never predicted.
const std::vector<float> kProbabilities = {
    0.7F, 0.2F, 0.1F,  // right
    0.5F, 0.4F, 0.1F,  // wrong
    0.9F, 0.1F, 0.0F,  // right
    0.6F, 0.3F, 0.1F,  // wrong
};
const std::vector<std::int32_t> kGold = {0, 1, 0, 1};

TEST(Metrics, AccuracyLossAndInterval) {
  const Metrics metrics = compute_metrics(kProbabilities, kGold, 3);
  EXPECT_EQ(metrics.count, 4);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.5);
  const double loss = -(std::log(0.7) + std::log(0.4) + std::log(0.9) + std::log(0.3)) / 4;
  EXPECT_NEAR(metrics.mean_loss, loss, 1e-6);
  // (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) for p = 1/2, n = 4.
  EXPECT_NEAR(metrics.accuracy_interval.low, 0.150036, 1e-5);
  EXPECT_NEAR(metrics.accuracy_interval.high, 0.849964, 1e-5);
}

TEST(Metrics, PerClassWithUndefinedQuotients) {
  const Metrics metrics = compute_metrics(kProbabilities, kGold, 3);
  ASSERT_EQ(metrics.classes.size(), 3U);
  EXPECT_EQ(metrics.classes[0].support, 2);
  EXPECT_EQ(metrics.classes[0].predicted, 4);
  EXPECT_DOUBLE_EQ(metrics.classes[0].precision.value(), 0.5);
  EXPECT_DOUBLE_EQ(metrics.classes[0].recall.value(), 1);
  EXPECT_DOUBLE_EQ(metrics.classes[0].f1.value(), 2.0 / 3);
  EXPECT_FALSE(metrics.classes[1].precision.has_value());
  EXPECT_DOUBLE_EQ(metrics.classes[1].recall.value(), 0);
  EXPECT_DOUBLE_EQ(metrics.classes[1].f1.value(), 0);
  EXPECT_FALSE(metrics.classes[2].precision.has_value());
  EXPECT_FALSE(metrics.classes[2].recall.has_value());
  EXPECT_FALSE(metrics.classes[2].f1.has_value());
  // Over the two classes whose F1 is defined.
  EXPECT_DOUBLE_EQ(metrics.macro_f1.value(), 1.0 / 3);
  EXPECT_EQ(metrics.confusion, (std::vector<ConfusionCell>{{0, 0, 2}, {1, 0, 2}}));
}

TEST(Metrics, ARowOfAClassThatTheModelLacksIsWrong) {
  const std::vector<std::int32_t> gold = {0, -1, 0, 1};
  const Metrics metrics = compute_metrics(kProbabilities, gold, 3);
  EXPECT_EQ(metrics.count, 4);
  EXPECT_EQ(metrics.unknown_class, 1);
  EXPECT_DOUBLE_EQ(metrics.accuracy, 0.5);
  // It spoils the precision of what was answered, and no class's recall.
  EXPECT_EQ(metrics.classes[0].predicted, 4);
  EXPECT_DOUBLE_EQ(metrics.classes[0].precision.value(), 0.5);
  EXPECT_DOUBLE_EQ(metrics.classes[0].recall.value(), 1);
  EXPECT_EQ(metrics.confusion, (std::vector<ConfusionCell>{{0, 0, 2}, {1, 0, 1}}));
  EXPECT_NEAR(metrics.mean_loss, -(std::log(0.7) + std::log(0.9) + std::log(0.3)) / 3, 1e-6);
}

TEST(Majority, IsOfTheClassThatIsMostFrequentInTraining) {
  Metrics metrics = compute_metrics(kProbabilities, std::vector<std::int32_t>{0, 1, 1, 1}, 3);
  // Class 1 has most of these rows, but training's is class 0.
  metrics.majority = majority_of(metrics, std::vector<std::int64_t>{5, 4, 5});
  ASSERT_TRUE(metrics.majority.has_value());
  EXPECT_EQ(metrics.majority->label, 0);
  EXPECT_DOUBLE_EQ(metrics.majority->accuracy, 0.25);
  EXPECT_TRUE(no_better_than_majority(metrics));  // 25 %, by the same row
  metrics.accuracy = 0.26;
  EXPECT_FALSE(no_better_than_majority(metrics));
  EXPECT_FALSE(majority_of(metrics, {}).has_value());
  EXPECT_FALSE(majority_of(metrics, std::vector<std::int64_t>{5, 4}).has_value());
  metrics.majority.reset();
  EXPECT_FALSE(no_better_than_majority(metrics));
}

TEST(Confusions, AreSortedByRowsAndFoundByTheirClasses) {
  Metrics metrics;
  metrics.confusion = {{0, 1, 2}, {1, 1, 9}, {1, 2, 5}, {2, 0, 2}};
  EXPECT_EQ(confusions(metrics), (std::vector<ConfusionCell>{{1, 2, 5}, {0, 1, 2}, {2, 0, 2}}));
  EXPECT_EQ(confused_rows(metrics, 1, 1), 9);
  EXPECT_EQ(confused_rows(metrics, 2, 0), 2);
  EXPECT_EQ(confused_rows(metrics, 2, 2), 0);
  EXPECT_EQ(confused_rows(metrics, 0, 0), 0);
}

// A dense matrix of so many classes would take half a gigabyte.
TEST(Metrics, EightThousandClassesTakeNoMoreThanTheirRows) {
  constexpr std::int64_t kClasses = 8000;
  std::vector<float> probabilities(static_cast<std::size_t>(3 * kClasses));
  for (std::size_t row = 0; row < 3; ++row)
    probabilities[row * static_cast<std::size_t>(kClasses) + 7999] = 1;
  const Metrics metrics =
      compute_metrics(probabilities, std::vector<std::int32_t>{7999, 0, 7999}, kClasses);
  EXPECT_EQ(metrics.confusion, (std::vector<ConfusionCell>{{0, 7999, 1}, {7999, 7999, 2}}));
}

TEST(Metrics, TiesGoToTheLowerClass) {
  const Metrics metrics =
      compute_metrics(std::vector<float>{0.1F, 0.45F, 0.45F}, std::vector<std::int32_t>{2}, 3);
  EXPECT_EQ(metrics.classes[1].predicted, 1);
  EXPECT_EQ(metrics.accuracy, 0);
}

TEST(PredictedClasses, AreThoseOfTheLargestFigureInEachRow) {
  const std::vector<float> logits = {-1, 2, 0, 5, 5, 4, -3, -2, -1};
  EXPECT_EQ(predicted_classes(logits, 3), (std::vector<std::int32_t>{1, 0, 2}));
  EXPECT_TRUE(predicted_classes({}, 3).empty());
}

TEST(Metrics, CalibrationErrorOverFifteenBins) {
  // Confidences 0.7 and 0.5 and 0.9 and 0.6 lie in bins 10, 7, 13 and 9: each alone.
  const double expected = (0.3 + 0.5 + 0.1 + 0.6) / 4;
  EXPECT_NEAR(compute_metrics(kProbabilities, kGold, 3).ece, expected, 1e-6);
  // Two in one bin: one right, one wrong, mean confidence 0.55: |0.5 - 0.55|.
  const std::vector<float> together = {0.56F, 0.44F, 0.54F, 0.46F};
  EXPECT_NEAR(compute_metrics(together, std::vector<std::int32_t>{0, 1}, 2).ece, 0.05, 1e-6);
}

TEST(Calibration, BinsHoldCountConfidenceAndAccuracy) {
  const std::vector<CalibrationBin> bins = calibration_bins(kProbabilities, kGold, 3);
  ASSERT_EQ(bins.size(), 15U);
  EXPECT_EQ(bins[0].count, 0);
  EXPECT_FALSE(bins[0].mean_confidence.has_value());
  EXPECT_FALSE(bins[0].accuracy.has_value());
  EXPECT_EQ(bins[7].count, 1);  // 7/15 <= 0.5 < 8/15
  EXPECT_DOUBLE_EQ(bins[7].mean_confidence.value(), 0.5);
  EXPECT_EQ(bins[7].accuracy.value(), 0);
  EXPECT_EQ(bins[13].count, 1);
  EXPECT_NEAR(bins[13].mean_confidence.value(), 0.9, 1e-6);
  EXPECT_EQ(bins[13].accuracy.value(), 1);
}

TEST(Calibration, RowsOfOneBinAreAveraged) {
  // 0.56 is of the ninth bin, 0.54 too; certainty is of the last one.
  const std::vector<float> probabilities = {0.56F, 0.44F, 0.54F, 0.46F, 0, 1};
  const auto bins = calibration_bins(probabilities, std::vector<std::int32_t>{0, 1, 1}, 2);
  EXPECT_EQ(bins[8].count, 2);
  EXPECT_NEAR(bins[8].mean_confidence.value(), 0.55, 1e-6);
  EXPECT_DOUBLE_EQ(bins[8].accuracy.value(), 0.5);
  EXPECT_EQ(bins[14].count, 1);
  EXPECT_EQ(bins[14].mean_confidence.value(), 1);
  EXPECT_NEAR(expected_calibration_error(bins), 2 * 0.05 / 3, 1e-6);
}

TEST(Calibration, MetricsHoldTheBinsThatTheirErrorIsOf) {
  const Metrics metrics = compute_metrics(kProbabilities, kGold, 3);
  ASSERT_EQ(metrics.calibration.size(), 15U);
  EXPECT_EQ(metrics.calibration[13].count, 1);
  EXPECT_DOUBLE_EQ(metrics.ece, expected_calibration_error(metrics.calibration));
}

TEST(Calibration, RefusesWhatHasNoMeaning) {
  EXPECT_THROW(calibration_bins({}, {}, 2), Error);
  EXPECT_THROW(calibration_bins(kProbabilities, kGold, 2), Error);
  try {
    expected_calibration_error(std::vector<CalibrationBin>(15));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "The calibration error of no rows is not defined.");
  }
}

TEST(Metrics, CertainAndRightHasNoLossAndNoCalibrationError) {
  const Metrics metrics =
      compute_metrics(std::vector<float>{1, 0, 0, 1}, std::vector<std::int32_t>{0, 1}, 2);
  EXPECT_EQ(metrics.mean_loss, 0);
  EXPECT_EQ(metrics.ece, 0);
  EXPECT_EQ(metrics.accuracy, 1);
  EXPECT_EQ(metrics.macro_f1.value(), 1);
}

TEST(Metrics, CertainAndWrongHasAFiniteLoss) {
  const Metrics metrics =
      compute_metrics(std::vector<float>{1, 0}, std::vector<std::int32_t>{1}, 2);
  EXPECT_GT(metrics.mean_loss, 80);
  EXPECT_TRUE(std::isfinite(metrics.mean_loss));
}

TEST(Metrics, RefusesWhatHasNoMeaning) {
  EXPECT_EQ(message_of({}, {}, 2),
            "Metrics of no rows are not defined: there is nothing to evaluate.");
  EXPECT_EQ(message_of({1, 0, 0}, {0, 1}, 2),
            "Metrics got 3 probabilities for 2 rows of 2 classes.");
  EXPECT_EQ(message_of({1, 0, 1, 0}, {0, -2}, 2),
            "Row 2 has no label among the 2 classes (its label index is -2).");
  EXPECT_EQ(message_of({1, 0}, {2}, 2),
            "Row 1 has no label among the 2 classes (its label index is 2).");
  EXPECT_EQ(message_of({1, 0, std::numeric_limits<float>::quiet_NaN(), 0}, {0, 0}, 2),
            "The model gives row 2 a probability that is not a finite number: its weights are "
            "damaged or training diverged.");
}

}  // namespace
}  // namespace diffuse
