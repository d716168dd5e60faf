#include "diffuse/base/significance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

std::optional<double> t_test(const std::vector<double>& differences) {
  return paired_t_p_value(differences);
}

double sign_flip(const std::vector<std::int64_t>& differences) {
  return sign_flip_p_value(differences);
}

// Reference values: the density of Student's t, integrated in Python by Simpson's rule.
TEST(PairedT, AgreesWithReferenceValues) {
  EXPECT_NEAR(t_test({0.012, 0.007, 0.015, 0.009, 0.011}).value(), 0.0013481709757698, 1e-10);
  EXPECT_NEAR(t_test({1, -2, 3, 0.5}).value(), 0.5862251193550, 1e-10);
  EXPECT_NEAR(t_test({-1, 2, -3, -0.5}).value(), 0.5862251193550, 1e-10);  // two-sided
  EXPECT_NEAR(t_test({0.3, 0.1}).value(), 0.2951672353009, 1e-10);
}

TEST(PairedT, SaysNothingWhereNothingSpreads) {
  EXPECT_EQ(t_test({}), std::nullopt);
  EXPECT_EQ(t_test({0.5}), std::nullopt);
  EXPECT_EQ(t_test({0.1, 0.1, 0.1}), std::nullopt);
  EXPECT_EQ(t_test({0, 0}), 1);
}

// Reference values: all signs tried out in Python.
TEST(SignFlip, AgreesWithAllSignsTriedOut) {
  EXPECT_NEAR(sign_flip({3, -1, 2, 2, -1, 1, 1, 3, -2, 1, 0}), 188.0 / 1024, 1e-12);
  EXPECT_NEAR(sign_flip({-3, 1, -2, -2, 1, -1, -1, -3, 2, -1}), 188.0 / 1024, 1e-12);
  EXPECT_NEAR(sign_flip({2, 2, 2}), 0.25, 1e-12);
  EXPECT_EQ(sign_flip({}), 1);
  EXPECT_EQ(sign_flip({0, 0}), 1);
  EXPECT_EQ(sign_flip({1, -1}), 1);
}

// scipy.stats.binomtest(124, 334).pvalue, as McNemar's test has it.
TEST(SignFlip, IsMcNemarsTestOfSingleRows) {
  std::vector<std::int64_t> differences(124, -1);
  differences.insert(differences.end(), 210, 1);
  EXPECT_NEAR(sign_flip(differences), 2.9321817e-06, 1e-12);
}

TEST(SignFlip, TakesManyRows) {
  // Far more than a double holds without logarithms; by the normal distribution 0.0455.
  std::vector<std::int64_t> differences(500'500, 1);
  differences.insert(differences.end(), 499'500, -1);
  EXPECT_NEAR(sign_flip(differences), 0.3175, 0.001);
  differences.assign(3000, 2);
  EXPECT_LT(sign_flip(differences), 1e-300);
}

TEST(Holm, CorrectsEachByThoseThatAreSmaller) {
  // statsmodels.stats.multitest.multipletests(p, method="holm"), by hand: 4 * 0.01, 3 * 0.02, ...
  EXPECT_THAT(holm_corrected(std::vector<double>{0.02, 0.01, 0.9, 0.03}, 4),
              ElementsAre(::testing::DoubleNear(0.06, 1e-12), ::testing::DoubleNear(0.04, 1e-12),
                          ::testing::DoubleNear(0.9, 1e-12), ::testing::DoubleNear(0.06, 1e-12)));
  // Some of six tests.
  EXPECT_THAT(holm_corrected(std::vector<double>{0.01, 0.5}, 6),
              ElementsAre(::testing::DoubleNear(0.06, 1e-12), ::testing::DoubleNear(1, 1e-12)));
  EXPECT_THAT(holm_corrected({}, 0), IsEmpty());
  EXPECT_THAT(
      [] {
        holm_corrected(std::vector<double>{0.1, 0.2}, 1);
      },
      ThrowsMessage<Error>("2 p values cannot be some of 1 tests."));
}

}  // namespace
}  // namespace diffuse
