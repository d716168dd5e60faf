#include "diffuse/train/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace diffuse {
namespace {

TEST(Schedule, WarmUpRisesLinearlyToThePeak) {
  const LearningRateSchedule schedule{
      .kind = Schedule::constant, .peak = 0.4, .warmup = 4, .total = 10};
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 1), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 3), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 4), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 9), 0.4);
}

TEST(Schedule, LinearFallsTowardsZero) {
  const LearningRateSchedule schedule{
      .kind = Schedule::linear, .peak = 1, .warmup = 2, .total = 10};
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 1), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 2), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 6), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 9), 0.125);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 10), 0);
}

TEST(Schedule, CosineFallsByHalfAPeriod) {
  const LearningRateSchedule schedule{.kind = Schedule::cosine, .peak = 2, .warmup = 0, .total = 8};
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 0), 2);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 2), 1 + std::cos(std::numbers::pi / 4));
  EXPECT_NEAR(learning_rate_at(schedule, 4), 1, 1e-12);
  EXPECT_GT(learning_rate_at(schedule, 7), 0);
  EXPECT_NEAR(learning_rate_at(schedule, 8), 0, 1e-12);
}

TEST(Schedule, WarmUpAsLongAsTheRunNeverFalls) {
  const LearningRateSchedule schedule{
      .kind = Schedule::cosine, .peak = 1, .warmup = 10, .total = 5};
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 4), 0.5);
}

TEST(Schedule, OfATimeFollowsTheElapsedShare) {
  LearningRateSchedule schedule{.kind = Schedule::linear, .peak = 2, .warmup = 0, .total = 0};
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 7, 0), 2);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 7, 0.25), 1.5);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 7, 1.5), 0);
  // Warm-up by updates meets the falling rate without a jump.
  schedule.warmup = 10;
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 4, 0.25), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 8, 0.25), 1.5);
}

TEST(Schedule, OfATimeIsWarmAfterItsShareHoweverFewUpdatesThereWere) {
  const LearningRateSchedule schedule{
      .kind = Schedule::constant, .peak = 2, .warmup = 200, .warmup_share = 0.1, .total = 0};
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 0, 0), 0.01);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 3, 0.05), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 5, 0.1), 2);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 199, 0.01), 2);
}

}  // namespace
}  // namespace diffuse
