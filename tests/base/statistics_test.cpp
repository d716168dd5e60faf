#include "diffuse/base/statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::ThrowsMessage;

// Reference values: the roots x of (p - x)^2 = z^2 x (1 - x) / n, worked out in Python.
TEST(WilsonInterval, AgreesWithReferenceValues) {
  const Interval most = wilson_interval(2128, 2189);
  EXPECT_NEAR(most.low, 0.964368, 1e-6);
  EXPECT_NEAR(most.high, 0.978245, 1e-6);
  const Interval half = wilson_interval(5, 10);
  EXPECT_NEAR(half.low, 0.236593, 1e-6);
  EXPECT_NEAR(half.high, 0.763407, 1e-6);
}

TEST(WilsonInterval, StaysInsideAtTheEnds) {
  const Interval none = wilson_interval(0, 10);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.277533, 1e-6);
  const Interval all = wilson_interval(10, 10);
  EXPECT_NEAR(all.low, 0.722467, 1e-6);
  EXPECT_EQ(all.high, 1);
}

TEST(WilsonInterval, RefusesWhatIsNoProportion) {
  EXPECT_THAT([] { wilson_interval(0, 0); },
              ThrowsMessage<Error>("No interval for 0 successes of 0: expected 0 <= successes <= "
                                   "count, count > 0."));
  EXPECT_THROW(wilson_interval(-1, 5), Error);
  EXPECT_THROW(wilson_interval(6, 5), Error);
}

TEST(Mean, IsTheArithmeticMean) {
  EXPECT_DOUBLE_EQ(mean(std::vector<double>{1, 2, 6}), 3);
  EXPECT_THAT([] { mean({}); }, ThrowsMessage<Error>("The mean of no values is undefined."));
}

TEST(SampleStandardDeviation, DividesByOneLess) {
  EXPECT_DOUBLE_EQ(sample_standard_deviation(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9}).value(),
                   2.138089935299395);
  // Large values that differ a little: the squares must not cancel.
  EXPECT_DOUBLE_EQ(
      sample_standard_deviation(std::vector<double>{1e9 + 1, 1e9 + 2, 1e9 + 3}).value(), 1);
  EXPECT_EQ(sample_standard_deviation(std::vector<double>{1}), std::nullopt);
  EXPECT_EQ(sample_standard_deviation({}), std::nullopt);
}

TEST(Quantile, IsLinearBetweenNeighbours) {
  const std::vector<double> values = {40, 10, 30, 20};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 10);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 25);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 37);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 40);
  EXPECT_DOUBLE_EQ(median(values), 25);
  EXPECT_DOUBLE_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(quantile(std::vector<double>{5}, 0.3), 5);
}

TEST(Quantile, RefusesWhatIsUndefined) {
  const std::vector<double> one = {1};
  EXPECT_THAT([] { quantile({}, 0.5); },
              ThrowsMessage<Error>("A quantile of no values is undefined."));
  EXPECT_THAT([&] { quantile(one, 1.5); }, ThrowsMessage<Error>("Quantile 1.5 is outside 0 to 1."));
  EXPECT_THROW(quantile(one, -0.1), Error);
  EXPECT_THROW(quantile(one, std::numeric_limits<double>::quiet_NaN()), Error);
}

}  // namespace
}  // namespace diffuse
