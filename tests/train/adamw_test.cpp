#include "diffuse/train/adamw.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/train/gradient_clip.hpp"
#include "support/on_device.hpp"
#include "support/test_data.hpp"

namespace diffuse {
namespace {

at::Tensor tensor_of(const nlohmann::json& numbers) {
  return at::tensor(numbers.get<std::vector<float>>());
}

void expect_near(const at::Tensor& actual, const nlohmann::json& expected) {
  const auto numbers = expected.get<std::vector<double>>();
  const at::Tensor flat = actual.detach().flatten().to(at::kCPU);
  ASSERT_EQ(flat.size(0), static_cast<std::int64_t>(numbers.size()));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    EXPECT_NEAR(flat[static_cast<std::int64_t>(i)].item<double>(), numbers[i], 2e-6) << "at " << i;
}

using AdamWOn = testing::OnDevice;

TEST_P(AdamWOn, FollowsPyTorchWithDecayAndClipping) {
  const auto fixture =
      nlohmann::json::parse(read_file(testing::test_data() / "adamw_reference.json"));
  at::Tensor matrix = tensor_of(fixture["matrix"]).reshape({2, 3}).to(device_).requires_grad_(true);
  at::Tensor vector = tensor_of(fixture["vector"]).to(device_).requires_grad_(true);
  AdamW optimizer({{"m", matrix, ParameterRole::matrix}, {"v", vector, ParameterRole::vector}},
                  {.beta1 = fixture["beta1"],
                   .beta2 = fixture["beta2"],
                   .epsilon = fixture["epsilon"],
                   .weight_decay = fixture["weight_decay"]});
  ASSERT_EQ(fixture["steps"].size(), 5U);
  for (const auto& step : fixture["steps"]) {
    matrix.mutable_grad() = tensor_of(step["matrix_gradient"]).reshape({2, 3}).to(device_);
    vector.mutable_grad() = tensor_of(step["vector_gradient"]).to(device_);
    const GradientClip clip = measure_gradients(optimizer.gradients(), fixture["clip_norm"]);
    EXPECT_NEAR(clip.norm.item<double>(), step["norm"].get<double>(), 1e-5);
    optimizer.step(step["learning_rate"], clip.divisor);
    expect_near(matrix, step["matrix"]);
    expect_near(vector, step["vector"]);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, AdamWOn, testing::every_device(), testing::device_name);

TEST(AdamW, DecaysMatricesOnly) {
  at::Tensor matrix = at::ones({2, 2}).requires_grad_(true);
  at::Tensor embedding = at::ones({2, 2}).requires_grad_(true);
  at::Tensor vector = at::ones({2}).requires_grad_(true);
  AdamW optimizer({{"m", matrix, ParameterRole::matrix},
                   {"e", embedding, ParameterRole::embedding},
                   {"v", vector, ParameterRole::vector}},
                  {.weight_decay = 0.5});
  for (at::Tensor* parameter : {&matrix, &embedding, &vector})
    parameter->mutable_grad() = at::zeros(parameter->sizes());
  optimizer.step(0.1);
  EXPECT_NEAR(matrix.detach()[0][0].item<float>(), 0.95F, 1e-6F);
  EXPECT_EQ(embedding.detach()[0][0].item<float>(), 1.0F);
  EXPECT_EQ(vector.detach()[0].item<float>(), 1.0F);
}

TEST(AdamW, TheEmbeddingHasADecayAndARateOfItsOwn) {
  at::Tensor matrix = at::ones({2, 2}).requires_grad_(true);
  at::Tensor embedding = at::ones({2, 2}).requires_grad_(true);
  at::Tensor frozen = at::ones({2, 2}).requires_grad_(true);
  AdamW optimizer(
      {{"m", matrix, ParameterRole::matrix}, {"e", embedding, ParameterRole::embedding}},
      {.embedding_weight_decay = 0.5, .embedding_lr_factor = 2});
  AdamW freezing({{"f", frozen, ParameterRole::embedding}}, {.embedding_lr_factor = 0});
  for (at::Tensor* parameter : {&matrix, &embedding, &frozen})
    parameter->mutable_grad() = at::ones(parameter->sizes());
  optimizer.step(0.1);
  freezing.step(0.1);
  EXPECT_NEAR(matrix.detach()[0][0].item<float>(), 0.9F, 1e-6F);
  EXPECT_NEAR(embedding.detach()[0][0].item<float>(), 1 - 0.2 * 0.5 - 0.2, 1e-6F);
  EXPECT_EQ(frozen.detach()[0][0].item<float>(), 1.0F);
}

// Pairs of words are learned beside words that stay as they were pretrained.
TEST(AdamW, ThePairsOfAnEmbeddingHaveTheRateOfTheOthers) {
  at::Tensor words = at::ones({2, 2}).requires_grad_(true);
  at::Tensor pairs = at::ones({2, 2}).requires_grad_(true);
  AdamW optimizer({{"embedding.weight", words, ParameterRole::embedding},
                   {"embedding.bigrams", pairs, ParameterRole::embedding}},
                  {.embedding_lr_factor = 0});
  for (int update = 0; update < 2; ++update) {
    for (at::Tensor* parameter : {&words, &pairs})
      parameter->mutable_grad() = at::ones(parameter->sizes());
    optimizer.step(0.1);
  }
  EXPECT_EQ(words.detach()[0][0].item<float>(), 1.0F);
  // Of equal gradients each corrected update is one rate long: the role's count is of both.
  EXPECT_NEAR(pairs.detach()[0][0].item<float>(), 0.8F, 1e-5F);
}

TEST(AdamW, LeavesAParameterWithoutGradientAlone) {
  at::Tensor used = at::ones({2}).requires_grad_(true);
  at::Tensor unused = at::ones({2}).requires_grad_(true);
  AdamW optimizer(
      {{"used", used, ParameterRole::matrix}, {"unused", unused, ParameterRole::matrix}},
      {.weight_decay = 0.5});
  used.mutable_grad() = at::ones({2});
  optimizer.step(0.1);
  EXPECT_NE(used.detach()[0].item<float>(), 1.0F);
  EXPECT_EQ(unused.detach()[0].item<float>(), 1.0F);
}

TEST(AdamW, GivesGradientsInTheOrderOfThePublishedFigures) {
  at::Tensor embedding = at::ones({1}).requires_grad_(true);
  at::Tensor vector = at::ones({2}).requires_grad_(true);
  at::Tensor matrix = at::ones({3}).requires_grad_(true);
  AdamW optimizer({{"e", embedding, ParameterRole::embedding},
                   {"v", vector, ParameterRole::vector},
                   {"m", matrix, ParameterRole::matrix}},
                  {});
  for (at::Tensor* parameter : {&embedding, &vector, &matrix})
    parameter->mutable_grad() = at::ones(parameter->sizes());
  const auto gradients = optimizer.gradients();
  ASSERT_EQ(gradients.size(), 3U);
  EXPECT_EQ(gradients[0].size(0), 3);  // the norm is summed so: matrices, embedding, vectors
  EXPECT_EQ(gradients[1].size(0), 1);
  EXPECT_EQ(gradients[2].size(0), 2);
}

TEST(AdamW, ClearsGradients) {
  at::Tensor parameter = at::ones({2}).requires_grad_(true);
  AdamW optimizer({{"p", parameter, ParameterRole::vector}}, {});
  parameter.mutable_grad() = at::ones({2});
  EXPECT_EQ(optimizer.gradients().size(), 1U);
  const void* memory = parameter.grad().data_ptr();
  optimizer.clear_gradients(/*keep_memory=*/true);
  EXPECT_EQ(parameter.grad().data_ptr(), memory);
  EXPECT_EQ(parameter.grad().sum().item<double>(), 0);
  optimizer.clear_gradients();
  EXPECT_TRUE(optimizer.gradients().empty());
}

TEST(AdamW, ReadsAGradientOfAnotherMemoryOrder) {
  at::Tensor straight = at::zeros({2, 3}).requires_grad_(true);
  at::Tensor crossed = at::zeros({2, 3}).requires_grad_(true);
  const at::Tensor gradient = at::tensor({1., -2., 3., -4., 5., -6.}).to(at::kFloat);
  straight.mutable_grad() = gradient.reshape({2, 3});
  crossed.mutable_grad() = gradient.reshape({2, 3}).t().contiguous().t();
  AdamW first({{"p", straight, ParameterRole::vector}}, {});
  AdamW second({{"p", crossed, ParameterRole::vector}}, {});
  first.step(0.1);
  second.step(0.1);
  EXPECT_TRUE(straight.equal(crossed));
}

TEST(AdamW, NamesItsState) {
  at::Tensor parameter = at::ones({2, 2}).requires_grad_(true);
  AdamW optimizer({{"head.weight", parameter, ParameterRole::matrix}}, {});
  parameter.mutable_grad() = at::ones({2, 2});
  optimizer.step(0.1);
  const auto state = optimizer.state();
  ASSERT_EQ(state.size(), 3U);
  EXPECT_EQ(state[0].first, "exp_avg.head.weight");
  EXPECT_NEAR(state[0].second[0][0].item<float>(), 0.1F, 1e-6F);
  EXPECT_EQ(state[1].first, "exp_avg_sq.head.weight");
  EXPECT_NEAR(state[1].second[0][0].item<float>(), 0.001F, 1e-6F);
  EXPECT_EQ(state[2].first, "step.matrix");
  EXPECT_EQ(state[2].second.item<float>(), 1.0F);
}

TEST(AdamW, RefusesOtherTypes) {
  const at::Tensor parameter = at::ones({2}, at::kDouble);
  try {
    AdamW({{"head.bias", parameter, ParameterRole::vector}}, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "AdamW updates float32 parameters; 'head.bias' is of another type.");
  }
}

TEST(GradientClip, MeasuresAllGradientsAsOneVector) {
  const GradientClip clip = measure_gradients({at::full({4}, 3.0), at::full({1, 1}, 8.0)}, 5);
  EXPECT_NEAR(clip.norm.item<double>(), 10, 1e-5);
  EXPECT_NEAR(clip.divisor.item<double>(), 2, 1e-6);
}

TEST(GradientClip, LeavesSmallGradientsAlone) {
  const GradientClip clip = measure_gradients({at::full({1}, 0.5)}, 1);
  EXPECT_EQ(clip.divisor.item<float>(), 1.0F);
}

TEST(GradientClip, OfZeroOnlyMeasures) {
  const GradientClip clip = measure_gradients({at::full({1}, 50.0)}, 0);
  EXPECT_NEAR(clip.norm.item<double>(), 50, 1e-4);
  EXPECT_FALSE(clip.divisor.defined());
}

TEST(GradientClip, WithoutGradientsIsAnError) { EXPECT_THROW(measure_gradients({}, 1), Error); }

}  // namespace
}  // namespace diffuse
