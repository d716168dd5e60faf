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

TEST(Coverage, PointIsTheOneOfMostCoverageThatCanBePromised) {
  const Rows rows(1000, 100);
  const Coverage coverage{1000, coverage_curve(rows.probabilities, rows.gold, 2, 1000)};
  const auto found = point_of(coverage, 0.96);
  ASSERT_TRUE(found);
  // 0.96 alone would be reached at 0.9 / 0.96 of the rows, by luck as likely as not.
  EXPECT_NEAR(found->point.coverage, 0.92, 0.01);
  EXPECT_GE(found->least, 0.96);
  EXPECT_NEAR(found->least, 0.96, 0.001);
  EXPECT_NEAR(found->point.accuracy, 0.9 / found->point.coverage, 1e-9);
  // Whoever answers from there on has that accuracy.
  int answered = 0;
  int right = 0;
  for (std::size_t i = 0; i < rows.gold.size(); ++i) {
    if (static_cast<double>(rows.probabilities[2 * i]) < found->point.threshold) continue;
    ++answered;
    right += rows.gold[i] == 0 ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(right) / answered, found->point.accuracy);
}

TEST(Coverage, OfTooFewRowsTheSurestPointIsTaken) {
  const Coverage coverage{60, {{0.9, 0.5, 1}, {0.8, 0.75, 1}, {0.7, 0.9, 0.95}, {0.5, 1, 0.9}}};
  const auto found = point_of(coverage, 0.99);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->point.coverage, 0.75);
  EXPECT_NEAR(found->least, 45 / (45 + 1.644854 * 1.644854), 1e-6);  // of 45 right of 45
}

TEST(Coverage, NoPointWhereNoneIsThatGood) {
  Rows rows(100, 0);
  for (std::size_t i = 0; i < 100; i += 2) rows.gold[i] = 1;
  EXPECT_FALSE(point_of({100, coverage_curve(rows.probabilities, rows.gold, 2)}, 0.9));
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
  const auto [count, back] = parse_coverage(coverage_json(curve, 300), "coverage.json");
  EXPECT_EQ(count, 300);
  ASSERT_EQ(back.size(), curve.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_EQ(back[i].threshold, curve[i].threshold);
    EXPECT_EQ(back[i].coverage, curve[i].coverage);
    EXPECT_EQ(back[i].accuracy, curve[i].accuracy);
  }
}

TEST(Coverage, RefusesWhatIsNoTable) {
  for (const char* text : {"{}", R"({"points": []})", R"({"rows": 0, "points": []})"})
    EXPECT_EQ(testing::message_of<DataError>([&] { parse_coverage(text, "coverage.json"); }),
              "coverage.json: rows is no whole number of at least 1.");
  for (const char* text :
       {R"({"rows": 1})", R"({"rows": 1, "points": 3})", R"({"rows": 1, "points": [[1, 2, 0.5]]})",
        R"({"rows": 1, "points": [[1, 0.5]]})", R"({"rows": 1, "points": [["a", 0.5, 1]]})"}) {
    EXPECT_EQ(testing::message_of<DataError>([&] { parse_coverage(text, "coverage.json"); }),
              "coverage.json: points is no list of [threshold, coverage, accuracy], each from 0 to "
              "1.");
  }
  EXPECT_THROW(coverage_curve({}, {}, 2), Error);
}

}  // namespace
}  // namespace diffuse
