#include "diffuse/eval/coverage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Two classes; row i of `n` has confidence falling from 1 to 0.5, and is right but for the last
/// `wrong`.
struct Rows {
  Rows(int n, int wrong) {
    for (int i = 0; i < n; ++i) {
      const float confidence = 1 - 0.5F * static_cast<float>(i) / static_cast<float>(n);
      probabilities.push_back(confidence);
      probabilities.push_back(1 - confidence);
      gold.push_back(i < n - wrong ? 0 : 1);
    }
  }
  std::vector<float> probabilities;
  std::vector<std::int32_t> gold;
};

TEST(Coverage, CurveGoesFromTheSurestToAllRows) {
  const Rows rows(1000, 100);
  const auto curve = coverage_curve(rows.probabilities, rows.gold, 2, 50);
  EXPECT_LE(curve.size(), 50U);
  EXPECT_DOUBLE_EQ(curve.front().accuracy, 1);
  EXPECT_DOUBLE_EQ(curve.back().coverage, 1);
  EXPECT_DOUBLE_EQ(curve.back().accuracy, 0.9);
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_GT(curve[i].coverage, curve[i - 1].coverage);
    EXPECT_LT(curve[i].threshold, curve[i - 1].threshold);
  }
}

TEST(Coverage, PointIsTheOneOfMostCoverage) {
  const Rows rows(1000, 100);
  const auto curve = coverage_curve(rows.probabilities, rows.gold, 2, 1000);
  const auto point = point_of(curve, 0.96);
  ASSERT_TRUE(point);
  EXPECT_GE(point->accuracy, 0.96);
  EXPECT_NEAR(point->coverage, 0.9 / 0.96, 0.002);
  // Whoever answers from there on has that accuracy.
  int answered = 0;
  int right = 0;
  for (std::size_t i = 0; i < rows.gold.size(); ++i) {
    if (static_cast<double>(rows.probabilities[2 * i]) < point->threshold) continue;
    ++answered;
    right += rows.gold[i] == 0 ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(right) / answered, point->accuracy);
}

TEST(Coverage, NoPointWhereNoneIsThatGood) {
  Rows rows(100, 0);
  for (std::size_t i = 0; i < 100; i += 2) rows.gold[i] = 1;
  EXPECT_FALSE(point_of(coverage_curve(rows.probabilities, rows.gold, 2), 0.9));
}

TEST(Coverage, RowsOfOneConfidenceStayTogether) {
  std::vector<float> probabilities;
  std::vector<std::int32_t> gold;
  for (int i = 0; i < 60; ++i) {
    const float confidence = i < 30 ? 0.9F : 0.6F;
    probabilities.push_back(confidence);
    probabilities.push_back(1 - confidence);
    gold.push_back(i % 2);
  }
  const auto curve = coverage_curve(probabilities, gold, 2);
  ASSERT_EQ(curve.size(), 2U);
  EXPECT_DOUBLE_EQ(curve[0].coverage, 0.5);
}

TEST(Coverage, AFewRowsAreNoPoint) {
  const Rows rows(25, 0);
  EXPECT_EQ(coverage_curve(rows.probabilities, rows.gold, 2).size(), 6U);
  const Rows fewer(5, 0);
  EXPECT_EQ(coverage_curve(fewer.probabilities, fewer.gold, 2).size(), 1U);
}

TEST(Coverage, RowsOfAnUnknownClassAreWrong) {
  Rows rows(40, 0);
  rows.gold[0] = -1;
  EXPECT_DOUBLE_EQ(coverage_curve(rows.probabilities, rows.gold, 2).back().accuracy, 39.0 / 40);
}

TEST(Coverage, TableShowsSomeShares) {
  const Rows rows(1000, 100);
  EXPECT_THAT(
      coverage_table(coverage_curve(rows.probabilities, rows.gold, 2)),
      AllOf(HasSubstr("answered"), HasSubstr("100.0 %   90.00 %"), HasSubstr("50.0 %  100.00 %")));
  const Rows fewer(5, 0);
  EXPECT_THAT(coverage_table(coverage_curve(fewer.probabilities, fewer.gold, 2)),
              Not(HasSubstr("50.0 %")));
}

TEST(Coverage, ReadsWhatItWrote) {
  const Rows rows(300, 30);
  const auto curve = coverage_curve(rows.probabilities, rows.gold, 2);
  const auto back = parse_coverage(coverage_json(curve, 300), "coverage.json");
  ASSERT_EQ(back.size(), curve.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_EQ(back[i].threshold, curve[i].threshold);
    EXPECT_EQ(back[i].coverage, curve[i].coverage);
    EXPECT_EQ(back[i].accuracy, curve[i].accuracy);
  }
}

TEST(Coverage, RefusesWhatIsNoTable) {
  for (const char* text : {"{}", R"({"points": 3})", R"({"points": [[1, 2, 0.5]]})",
                           R"({"points": [[1, 0.5]]})", R"({"points": [["a", 0.5, 1]]})"}) {
    EXPECT_EQ(testing::message_of<DataError>([&] { parse_coverage(text, "coverage.json"); }),
              "coverage.json: points is no list of [threshold, coverage, accuracy], each from 0 to "
              "1.");
  }
  EXPECT_THROW(coverage_curve({}, {}, 2), Error);
}

}  // namespace
}  // namespace diffuse
