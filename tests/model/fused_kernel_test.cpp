// A classifier's fused training pass against autograd on its tensor operations.

#include <ATen/core/Reduction.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/core.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "diffuse/config/load.hpp"
#include "diffuse/model/diffusion_classifier.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using testing::batch_of;
using testing::kShape;
using testing::Sequences;
using testing::small_config;

const Sequences kTexts = {{1, 4, 4, 9}, {3}, {0, 19, 5, 7, 11, 13}, {8, 2}, {4, 4, 4, 4, 4}};

struct Gradients {
  double loss = 0;
  std::int64_t correct = 0;
  std::vector<std::pair<std::string, at::Tensor>> tensors{};
};

Gradients by_autograd(DiffusionClassifier& model, const Batch& batch, double smoothing) {
  model.use_kernel(Kernel::reference, Precision::fp32);
  const at::Tensor logits = model.forward(batch, {});
  at::Tensor losses;
  if (batch.distributions.defined()) {
    losses = logits.log_softmax(-1).mul(batch.distributions).sum(-1).neg();
  } else {
    losses = at::cross_entropy_loss(logits, batch.labels, {}, at::Reduction::None, -100, smoothing);
  }
  if (batch.weights.defined()) losses = losses.mul(batch.weights);
  const at::Tensor loss = losses.sum().div(batch.size());
  loss.backward();
  Gradients found{.loss = loss.item<double>(),
                  .correct = logits.argmax(-1).eq(batch.labels).sum().item<std::int64_t>()};
  for (const NamedParameter& parameter : model.parameters()) {
    found.tensors.emplace_back(parameter.name, parameter.tensor.grad().clone());
    at::Tensor(parameter.tensor).mutable_grad().reset();
  }
  return found;
}

Gradients fused(DiffusionClassifier& model, const Batch& batch, double smoothing) {
  model.use_kernel(Kernel::fused, Precision::fp32);
  const auto figures = model.train_pass(
      batch, {.training = true},
      {.label_smoothing = smoothing, .weight = 1.0 / static_cast<double>(batch.size())});
  const RowGradient rows = model.row_gradient();
  Gradients found{.loss = figures->loss, .correct = figures->correct};
  for (const NamedParameter& parameter : model.parameters()) {
    at::Tensor gradient = at::zeros_like(parameter.tensor);
    if (parameter.role == ParameterRole::embedding) {
      double squares = 0;
      for (std::size_t i = 0; i < rows.ids.size(); ++i) {
        float* to = gradient.mutable_data_ptr<float>() + rows.ids[i] * rows.dim;
        std::copy_n(rows.row(i), rows.dim, to);
        for (std::int64_t c = 0; c < rows.dim; ++c) squares += double{to[c]} * double{to[c]};
      }
      EXPECT_NEAR(rows.square_sum, squares, 1e-5 * squares);
    } else {
      gradient = parameter.tensor.grad().clone();
      at::Tensor(parameter.tensor).mutable_grad().reset();
    }
    found.tensors.emplace_back(parameter.name, gradient);
  }
  return found;
}

void expect_equal_gradients(const ModelConfig& config, const ModelShape& shape, const Batch& batch,
                            const std::string& what) {
  DiffusionClassifier model(config, shape, 3);
  for (const double smoothing : {0.0, 0.1}) {
    const Gradients expected = by_autograd(model, batch, smoothing);
    const Gradients found = fused(model, batch, smoothing);
    EXPECT_NEAR(found.loss, expected.loss, 1e-5) << what;
    EXPECT_EQ(found.correct, expected.correct) << what;
    for (std::size_t i = 0; i < found.tensors.size(); ++i) {
      const at::Tensor& value = expected.tensors[i].second;
      const double largest = std::max(value.abs().max().item<double>(), 1e-4);
      EXPECT_LT(at::sub(found.tensors[i].second, value).abs().max().item<double>(), 2e-5 * largest)
          << what << ": " << found.tensors[i].first;
    }
  }
}

void expect_equal_gradients(const ModelConfig& config, const ModelShape& shape,
                            const Sequences& texts, const std::string& what) {
  expect_equal_gradients(config, shape, batch_of(texts), what);
}

/// The texts with weights, 0 among them, and with distributions over `classes` classes.
Batch with_targets(bool weights, std::int64_t classes) {
  Batch batch = batch_of(kTexts);
  if (weights) batch.weights = at::tensor({1.F, 0.F, 2.5F, 0.125F, 7.F});
  if (classes > 0) {
    const auto noise = at::arange(batch.size() * classes, at::kFloat).mul(1.7).sin().mul(2);
    batch.distributions = noise.view({batch.size(), classes}).softmax(-1);
    batch.distributions[1].zero_();
    batch.distributions[1][classes - 1] = 1;
  }
  return batch;
}

TEST(FusedKernel, WeighsTextsAsTheTensorOperationsDo) {
  expect_equal_gradients(small_config(), kShape, with_targets(true, 0), "weights");
  ModelConfig linear = small_config();
  linear.head_hidden_dim = 0;
  expect_equal_gradients(linear, kShape, with_targets(true, 0), "weights, a linear head");
}

TEST(FusedKernel, LearnsDistributionsAsTheTensorOperationsDo) {
  expect_equal_gradients(small_config(), kShape, with_targets(false, 3), "distributions");
  expect_equal_gradients(small_config(), kShape, with_targets(true, 3), "weighted ones");
  expect_equal_gradients(small_config(), {20, 37, 2}, with_targets(true, 37), "37 classes");
}

TEST(FusedKernel, ADistributionOfOneClassIsItsLabel) {
  DiffusionClassifier model(small_config(), kShape, 3);
  Batch batch = batch_of(kTexts);
  const Gradients by_label = fused(model, batch, 0);
  batch.distributions = at::zeros({batch.size(), 3});
  batch.distributions.scatter_(1, batch.labels.unsqueeze(1), 1.0);
  const Gradients by_distribution = fused(model, batch, 0.5);
  EXPECT_NEAR(by_distribution.loss, by_label.loss, 1e-6);
  EXPECT_EQ(by_distribution.correct, by_label.correct);
  for (std::size_t i = 0; i < by_label.tensors.size(); ++i)
    EXPECT_TRUE(by_distribution.tensors[i].second.allclose(by_label.tensors[i].second, 1e-5, 1e-7))
        << by_label.tensors[i].first;
}

TEST(FusedKernel, HasTheGradientsOfAutograd) {
  std::vector<ModelConfig> configs(5, small_config());
  configs[1].weight = WeightKind::full;
  configs[1].norm = NormPosition::post;
  configs[1].head_hidden_dim = 0;
  configs[2].weight = WeightKind::scalar;
  configs[2].function = FunctionKind::glu;
  configs[2].base = BaseState::initial;
  configs[2].pooling = Pooling::max;
  configs[2].head_hidden_dim = 17;
  configs[3].alpha_learned = true;
  configs[3].share_weights = true;
  configs[3].pooling = Pooling::mean;
  configs[3].dim = 16;
  configs[4].steps = 0;
  for (std::size_t i = 0; i < configs.size(); ++i)
    expect_equal_gradients(configs[i], kShape, kTexts, fmt::format("configuration {}", i));
}

TEST(FusedKernel, RunsEveryShippedDiffusionConfig) {
  const auto configs = std::filesystem::path(DIFFUSE_SOURCE_DIR) / "configs";
  // Packed for another machine there are no sources.
  if (!std::filesystem::exists(configs) || std::filesystem::is_empty(configs)) return;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(configs)) {
    if (entry.path().extension() != ".json") continue;
    Config config = load_config(entry.path(), {});
    if (config.model.type != ModelType::diffusion) continue;
    ++count;
    config.model.token_dropout = config.model.embedding_dropout = config.model.head_dropout = 0;
    config.model.noise_std = 0;
    DiffusionClassifier model(config.model, kShape, 1);
    model.use_kernel(Kernel::automatic, Precision::fp32);
    EXPECT_TRUE(model.is_fused()) << entry.path();
    expect_equal_gradients(config.model, kShape, kTexts, entry.path().filename().string());
  }
  EXPECT_GE(count, 6);
}

TEST(FusedKernel, ManyClassesAndOneClassGoThroughIt) {
  expect_equal_gradients(small_config(), {20, 1000, 2}, kTexts, "1,000 classes");
  Sequences one = {{1, 2, 3}};
  expect_equal_gradients(small_config(), {20, 1, 2}, one, "one class");
}

TEST(FusedKernel, EvaluatesAsTheTensorOperationsDo) {
  DiffusionClassifier model(small_config(), kShape, 3);
  const at::Tensor expected = testing::evaluate(model, kTexts);
  model.use_kernel(Kernel::automatic, Precision::fp32);
  EXPECT_TRUE(testing::evaluate(model, kTexts).allclose(expected, 1e-5, 1e-6));
  // Weights that change are read anew.
  {
    const at::NoGradGuard no_grad;
    testing::parameter(model, "head.out.bias").add_(1.0);
  }
  EXPECT_TRUE(testing::evaluate(model, kTexts).allclose(expected.add(1.0), 1e-5, 1e-6));
}

TEST(FusedKernel, GradientsOfSeveralBatchesAddUp) {
  DiffusionClassifier model(small_config(), kShape, 3);
  const Batch all = batch_of(kTexts);
  const Gradients whole = fused(model, all, 0);
  model.use_kernel(Kernel::fused, Precision::fp32);
  double loss = 0;
  for (const Sequences& part : {Sequences(kTexts.begin(), kTexts.begin() + 3),
                                Sequences(kTexts.begin() + 3, kTexts.end())}) {
    Batch batch = batch_of(part);
    const std::int64_t first = part.size() == 3 ? 0 : 3;
    batch.labels = all.labels.narrow(0, first, batch.size());
    loss += model.train_pass(batch, {.training = true}, {.weight = 0.2})->loss;
  }
  const RowGradient rows = model.row_gradient();
  EXPECT_NEAR(loss, whole.loss, 1e-6);
  for (std::size_t i = 0; i < rows.ids.size(); ++i)
    for (std::int64_t c = 0; c < rows.dim; ++c)
      EXPECT_NEAR(rows.row(i)[c], whole.tensors[0].second[rows.ids[i]][c].item<float>(), 1e-6);
}

TEST(FusedKernel, TellsWhichRowsItIsAboutToReadOnce) {
  DiffusionClassifier model(small_config(), kShape, 3);
  model.use_kernel(Kernel::fused, Precision::fp32);
  std::vector<std::vector<std::int32_t>> told;
  const PassOptions options{.before_rows = [&](std::span<const std::int32_t> ids, WorkerPool&) {
    told.emplace_back(ids.begin(), ids.end());
  }};
  model.train_pass(batch_of({{1, 4, 4, 9}}), {.training = true}, options);
  model.train_pass(batch_of({{9, 7, 1}}), {.training = true}, options);
  model.row_gradient();
  model.train_pass(batch_of({{9}}), {.training = true}, options);
  EXPECT_EQ(told, (std::vector<std::vector<std::int32_t>>{{1, 4, 9}, {7}, {9}}));
}

}  // namespace
}  // namespace diffuse
