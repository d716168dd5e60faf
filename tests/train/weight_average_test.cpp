#include "diffuse/train/weight_average.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>

namespace diffuse {
namespace {

float value_of(const at::Tensor& tensor) { return tensor.detach()[0].item<float>(); }

TEST(WeightAverage, DecayWarmsUp) {
  EXPECT_DOUBLE_EQ(average_decay(0.999, 1), 2.0 / 11);
  EXPECT_DOUBLE_EQ(average_decay(0.999, 90), 0.91);
  EXPECT_DOUBLE_EQ(average_decay(0.999, 1'000'000), 0.999);
}

TEST(WeightAverage, FollowsTheWeights) {
  at::Tensor weight = at::full({2}, 1.0).requires_grad_(true);
  WeightAverage average({{"w", weight, ParameterRole::matrix}}, 0.5);
  {
    const at::NoGradGuard no_grad;
    weight.fill_(12);
  }
  average.update(1);  // decay 2/11
  EXPECT_NEAR(value_of(average.values()[0]), 1.0 * 2 / 11 + 12.0 * 9 / 11, 1e-5);
  const double before = value_of(average.values()[0]);
  average.update(100);  // the limit, 0.5
  EXPECT_NEAR(value_of(average.values()[0]), (before + 12) / 2, 1e-5);
  EXPECT_EQ(value_of(weight), 12);
}

TEST(WeightAverage, StepsAreFartherApartTheLongerItLooksBack) {
  EXPECT_EQ(average_stride(0.999, 1), 1) << "a short run has an average, too";
  EXPECT_EQ(average_stride(0.999, 61), 1);
  EXPECT_EQ(average_stride(0.999, 62), 2);
  EXPECT_EQ(average_stride(0.999, 10'000), 8);
  EXPECT_EQ(average_stride(0.5, 10'000), 1);
  EXPECT_EQ(average_stride(0.9, 10'000), 2);
}

TEST(WeightAverage, AStepIsWorthTheUpdatesItStandsFor) {
  at::Tensor weight = at::full({2}, 0.0).requires_grad_(true);
  WeightAverage average({{"w", weight, ParameterRole::matrix}}, 0.999);
  {
    const at::NoGradGuard no_grad;
    weight.fill_(1);
  }
  for (std::int64_t update = 80'001; update <= 80'007; ++update) average.update(update);
  EXPECT_EQ(value_of(average.values()[0]), 0);
  average.update(80'008);
  EXPECT_NEAR(value_of(average.values()[0]), 1 - std::pow(0.999, 8), 1e-6);
}

TEST(WeightAverage, ScopeSwapsAndSwapsBack) {
  at::Tensor weight = at::full({2}, 1.0).requires_grad_(true);
  WeightAverage average({{"w", weight, ParameterRole::matrix}}, 0.5);
  {
    const at::NoGradGuard no_grad;
    weight.fill_(3);
  }
  {
    const AveragedWeightsScope scope(&average);
    EXPECT_EQ(value_of(weight), 1);
  }
  EXPECT_EQ(value_of(weight), 3);
  EXPECT_EQ(value_of(average.values()[0]), 1);
}

TEST(WeightAverage, ScopeOfNothingDoesNothing) { const AveragedWeightsScope scope(nullptr); }

}  // namespace
}  // namespace diffuse
