// One update in float16: scale, backward, unscale and check, clip, step or skip, update the scale.

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "diffuse/model/masked_word_model.hpp"
#include "support/on_device.hpp"
#include "updates.hpp"

namespace diffuse {
namespace {

using testing::updates::kShape;
using testing::updates::model_weights;
using testing::updates::Outcome;
using testing::updates::small_config;
using testing::updates::two_texts;
using testing::updates::updated;

/// That of a model that learns hidden words.
UpdateFigures pretrained(Precision precision, at::Device device) {
  const Config config = small_config();
  PretrainConfig pretrain;
  pretrain.masked = 0.6;
  MaskedWordModel model(config.model, pretrain, kShape, std::vector<std::int64_t>(16, 2), 1);
  return updated(config, precision, device, model).figures;
}

using Float16UpdateOn = testing::OnDevice;

TEST_P(Float16UpdateOn, ClipsTheUnscaledGradients) {
  Config config = small_config();
  const double norm =
      updated(config, Precision::fp32, device_).figures.gradient_norm.item<double>();
  // So small a norm, and so great an epsilon, that gradients clipped while they were still 65,536
  // times as large would leave the weights where they were.
  config.train.clip_norm = norm / 4;
  config.train.epsilon = norm / 4;
  const Outcome exact = updated(config, Precision::fp32, device_);
  const Outcome half = updated(config, Precision::fp16, device_);
  EXPECT_EQ(half.figures.loss_scale, 65536);
  EXPECT_FALSE(half.figures.skipped);
  EXPECT_NEAR(half.figures.gradient_norm.item<double>(), norm, 0.02 * norm) << "before clipping";
  Config still = config;
  still.train.clip_norm = norm / 4 / 65536;
  double exact_moved = 0;
  double half_moved = 0;
  double apart = 0;
  const Outcome start = updated(still, Precision::fp32, device_);
  for (std::size_t i = 0; i < exact.weights.size(); ++i) {
    const auto largest = [](const at::Tensor& a, const at::Tensor& b) {
      return a.sub(b).abs().max().item<double>();
    };
    exact_moved = std::max(exact_moved, largest(exact.weights[i], start.weights[i]));
    apart = std::max(apart, largest(exact.weights[i], half.weights[i]));
    half_moved = std::max(half_moved, largest(half.weights[i], start.weights[i]));
  }
  EXPECT_GT(exact_moved, 1e-4);
  EXPECT_GT(half_moved, 0.5 * exact_moved) << "the clipped gradients were still scaled";
  EXPECT_LT(apart, 0.5 * exact_moved);
}

// A pass of its own scales by itself.
TEST_P(Float16UpdateOn, UnscalesTheGradientsOfHiddenWords) {
  const UpdateFigures exact = pretrained(Precision::fp32, device_);
  const UpdateFigures half = pretrained(Precision::fp16, device_);
  EXPECT_EQ(half.loss_scale, 65536);
  EXPECT_GT(exact.loss.item<double>(), 0);
  EXPECT_NEAR(half.loss.item<double>(), exact.loss.item<double>(), 0.01);
  const double norm = exact.gradient_norm.item<double>();
  EXPECT_GT(norm, 0);
  EXPECT_NEAR(half.gradient_norm.item<double>(), norm, 0.03 * norm);
  // Reports keep the three in one tensor.
  for (const at::Tensor& figure : {half.loss, half.gradient_norm, half.correct})
    EXPECT_EQ(figure.device().type(), device_.type());
}

TEST_P(Float16UpdateOn, AnOverflowSkipsTheUpdateAndHalvesTheScale) {
  const Config config = small_config();
  const auto classifier = make_classifier(config, kShape, 1);
  classifier->to(device_);
  Updater updater(config.train, Precision::fp16, *classifier);
  // Surely the wrong class: the gradient of each logit is near 1 / 2, and of a float16 sum over
  // both rows times 65,536 and this weight nothing finite is left.
  for (const NamedParameter& parameter : classifier->parameters()) {
    if (parameter.name.starts_with("head") && parameter.role == ParameterRole::matrix)
      parameter.tensor.detach().mul_(1000);
  }
  const auto copies = [&] {
    std::vector<at::Tensor> tensors;
    for (auto& [name, tensor] : updater.training_tensors()) {
      if (!name.starts_with("scaler.")) tensors.push_back(tensor.clone());
    }
    for (const at::Tensor& tensor : model_weights(updater)) tensors.push_back(tensor);
    return tensors;
  };
  const std::vector<at::Tensor> before = copies();
  StepClock clock(device_, 1);
  clock.begin_update();
  const UpdateFigures first = updater.apply(
      1, 2, [&](std::size_t) { return two_texts(0, device_); }, 1, 0.01, clock);
  ASSERT_TRUE(first.skipped);
  EXPECT_EQ(first.loss_scale, 65536);
  const std::vector<at::Tensor> after = copies();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(at::equal(after[i], before[i])) << i;
  clock.begin_update();
  EXPECT_EQ(updater
                .apply(
                    1, 2, [&](std::size_t) { return two_texts(0, device_); }, 2, 0.01, clock)
                .loss_scale,
            32768);
}

INSTANTIATE_TEST_SUITE_P(Devices, Float16UpdateOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
