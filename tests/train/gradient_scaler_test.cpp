#include "diffuse/train/gradient_scaler.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <limits>

#include "diffuse/train/gradient_clip.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

constexpr float kOverflow = std::numeric_limits<float>::infinity();

class GradientScalerOn : public testing::OnDevice {
 protected:
  at::Tensor filled(at::IntArrayRef shape, double value) const {
    return at::full(shape, value, at::TensorOptions(device_).dtype(at::kFloat));
  }
  std::vector<at::Tensor> gradients(float first, float second) const {
    return {filled({2, 2}, first), filled({3}, second)};
  }
};

TEST_P(GradientScalerOn, ScalesTheLossAndUnscalesInPlace) {
  GradientScaler scaler(device_, {.initial_scale = 8});
  EXPECT_EQ(scaler.scale(filled({}, 0.5)).item<float>(), 4);
  const auto scaled = gradients(16, -4);
  EXPECT_TRUE(scaler.unscale(scaled));
  EXPECT_EQ(scaled[0][1][1].item<float>(), 2);
  EXPECT_EQ(scaled[1][2].item<float>(), -0.5);
}

TEST_P(GradientScalerOn, BacksOffAfterAnInfinityAndOnlyThen) {
  GradientScaler scaler(device_, {.initial_scale = 8});
  EXPECT_FALSE(scaler.unscale(gradients(1, kOverflow)));
  scaler.update();
  EXPECT_EQ(scaler.current(), 4);
  EXPECT_FALSE(scaler.unscale(gradients(std::numeric_limits<float>::quiet_NaN(), 1)));
  scaler.update();
  EXPECT_EQ(scaler.current(), 2);
  EXPECT_TRUE(scaler.unscale(gradients(1, 1)));  // the infinity before is forgotten
  scaler.update();
  EXPECT_EQ(scaler.current(), 2);
}

TEST_P(GradientScalerOn, GrowsAfterTheIntervalOfGoodUpdatesInARow) {
  GradientScaler scaler(device_, {.initial_scale = 8, .growth_interval = 3});
  const auto update = [&](float value) {
    scaler.unscale(gradients(value, 1));
    scaler.update();
    return scaler.current();
  };
  EXPECT_EQ(update(1), 8);
  EXPECT_EQ(update(1), 8);
  EXPECT_EQ(update(1), 16);
  EXPECT_EQ(update(1), 16);
  EXPECT_EQ(update(1), 16);
  EXPECT_EQ(update(kOverflow), 8);  // and the count starts anew
  EXPECT_EQ(update(1), 8);
  EXPECT_EQ(update(1), 8);
  EXPECT_EQ(update(1), 16);
}

TEST_P(GradientScalerOn, ClippingAfterUnscalingSeesTheTrueNorm) {
  // With the norm taken of scaled gradients (6,000 times too long here), clipping at 1 would cut
  // every gradient to 1 / scale of its length.
  GradientScaler scaler(device_, {.initial_scale = 65536});
  const std::vector<at::Tensor> scaled = {filled({4}, 0.05 * 65536)};
  EXPECT_GT(measure_gradients(scaled, 1).divisor.item<float>(), 6000);
  ASSERT_TRUE(scaler.unscale(scaled));
  const GradientClip clip = measure_gradients(scaled, 1);
  EXPECT_NEAR(clip.norm.item<float>(), 0.1, 1e-6);
  EXPECT_EQ(clip.divisor.item<float>(), 1);
}

TEST_P(GradientScalerOn, ItsStateRestoresIt) {
  GradientScaler first(device_, {.initial_scale = 8, .growth_interval = 2});
  first.unscale(gradients(1, 1));
  first.update();
  GradientScaler second(device_, {.initial_scale = 2, .growth_interval = 2});
  const auto from = first.state();
  const auto to = second.state();
  ASSERT_EQ(to.size(), 2U);
  EXPECT_EQ(to[0].first, "scaler.scale");
  EXPECT_EQ(to[1].first, "scaler.good_updates");
  for (std::size_t i = 0; i < to.size(); ++i) at::Tensor(to[i].second).copy_(from[i].second);
  second.unscale(gradients(1, 1));
  second.update();
  EXPECT_EQ(second.current(), 16);
}

INSTANTIATE_TEST_SUITE_P(Devices, GradientScalerOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
