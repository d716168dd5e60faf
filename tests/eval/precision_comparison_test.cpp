#include "diffuse/eval/precision_comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;

/// Of three rows and two classes; row r's label is that of the greater logit.
Evaluation evaluation(std::vector<float> logits) {
  Evaluation made;
  made.logits = std::move(logits);
  made.gold = {0, 1, 1};
  made.rows = {1, 2, 5};
  for (std::size_t row = 0; row < 3; ++row) {
    const bool first = made.logits[2 * row] >= made.logits[2 * row + 1];
    made.probabilities.push_back(first ? 0.9F : 0.1F);
    made.probabilities.push_back(first ? 0.1F : 0.9F);
  }
  made.metrics = compute_metrics(made.probabilities, made.gold, 2);
  made.examples_per_s = 1500;
  return made;
}

const Evaluation kReference = evaluation({2, 0, 0, 1, 0.5F, 0.75F});

TEST(PrecisionComparison, OfEqualAnswersIsZero) {
  const PrecisionDifference same = compare_precision(kReference, kReference, Precision::bf16);
  EXPECT_EQ(same.precision, Precision::bf16);
  EXPECT_EQ(same.largest_logit_error, 0);
  EXPECT_EQ(same.mean_logit_error, 0);
  EXPECT_EQ(same.flipped_labels, 0);
  EXPECT_EQ(same.accuracy, 1);
}

TEST(PrecisionComparison, CountsErrorsAndFlippedLabels) {
  const Evaluation other = evaluation({2.25F, 0, 0, 1, 1, 0.5F});
  const PrecisionDifference difference = compare_precision(kReference, other, Precision::fp16);
  EXPECT_DOUBLE_EQ(difference.largest_logit_error, 0.5);
  EXPECT_DOUBLE_EQ(difference.mean_logit_error, (0.25 + 0.5 + 0.25) / 6);
  EXPECT_EQ(difference.flipped_labels, 1);
  EXPECT_NEAR(difference.accuracy, 2.0 / 3, 1e-12);
}

TEST(PrecisionComparison, AnOverflowIsAnInfiniteError) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const Evaluation other = evaluation({bad, 0, 0, 1, 0.5F, 0.75F});
    const PrecisionDifference difference = compare_precision(kReference, other, Precision::fp16);
    EXPECT_TRUE(std::isinf(difference.largest_logit_error));
    EXPECT_TRUE(std::isinf(difference.mean_logit_error));
    EXPECT_THAT(precision_report(kReference, {difference}), HasSubstr("overflow"));
    const auto json = nlohmann::json::parse(precision_json(kReference, {difference}));
    EXPECT_EQ(json["precisions"][0]["largest_logit_error"], nullptr);
  }
}

TEST(PrecisionComparison, RefusesOtherRows) {
  Evaluation other = kReference;
  other.rows = {1, 2, 6};
  EXPECT_THROW(compare_precision(kReference, other, Precision::bf16), Error);
  Evaluation wider = kReference;
  wider.logits.resize(9);
  EXPECT_THROW(compare_precision(kReference, wider, Precision::bf16), Error);
  EXPECT_THROW(compare_precision({}, {}, Precision::bf16), Error);
}

TEST(PrecisionComparison, Report) {
  const Evaluation other = evaluation({2.25F, 0, 0, 1, 1, 0.5F});
  EXPECT_EQ(precision_report(kReference, {compare_precision(kReference, other, Precision::bf16)}),
            "accuracy  100.00 %  [43.9, 100.0]  n = 3  in fp32\n"
            "\n"
            "precision  largest logit error  mean logit error  flipped labels  accuracy  "
            "examples/s\n"
            "fp32                                                              100.00 %  "
            "     1,500\n"
            "bf16                       0.5              0.17          1 of 3   66.67 %  "
            "     1,500\n");
}

TEST(PrecisionComparison, Json) {
  const Evaluation other = evaluation({2.25F, 0, 0, 1, 1, 0.5F});
  const auto json = nlohmann::json::parse(
      precision_json(kReference, {compare_precision(kReference, other, Precision::bf16)}));
  EXPECT_EQ(json["count"], 3);
  EXPECT_EQ(json["reference"]["precision"], "fp32");
  EXPECT_EQ(json["reference"]["accuracy"], 1);
  ASSERT_EQ(json["precisions"].size(), 1U);
  EXPECT_EQ(json["precisions"][0]["precision"], "bf16");
  EXPECT_EQ(json["precisions"][0]["largest_logit_error"], 0.5);
  EXPECT_EQ(json["precisions"][0]["flipped_labels"], 1);
}

}  // namespace
}  // namespace diffuse
