// A classifier's fused training pass against autograd on its tensor operations.

#include <ATen/core/Reduction.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
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
#include "diffuse/ops/bigrams.hpp"
#include "diffuse/ops/reference/adversarial.hpp"
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

Gradients by_autograd(DiffusionClassifier& model, const Batch& batch, const PassOptions& options) {
  model.use_kernel(Kernel::reference, Precision::fp32);
  EmbeddingAccess embeddings;
  const ForwardContext context{.embeddings = &embeddings};
  const auto loss_of = [&](const at::Tensor& logits) {
    at::Tensor losses;
    if (batch.several) {  // by its definition, of moderate logits
      const at::Tensor p = logits.sigmoid();
      losses = p.log()
                   .mul(batch.distributions)
                   .add(p.neg().add(1).log().mul(batch.distributions.neg().add(1)))
                   .sum(-1)
                   .neg();
    } else if (batch.distributions.defined()) {
      losses = logits.log_softmax(-1).mul(batch.distributions).sum(-1).neg();
    } else {
      losses = at::cross_entropy_loss(logits, batch.labels, {}, at::Reduction::None, -100,
                                      options.label_smoothing);
    }
    if (batch.weights.defined()) losses = losses.mul(batch.weights);
    return losses.sum().div(batch.size());
  };
  const at::Tensor logits = model.forward(batch, context);
  const at::Tensor loss = loss_of(logits);
  loss.backward();
  if (options.adversarial > 0) {
    embeddings.step = reference_adversarial_step(embeddings.sum.detach(), embeddings.sum.grad(),
                                                 batch.host_offsets, options.adversarial);
    loss_of(model.forward(batch, context)).backward();
  }
  Gradients found{
      .loss = loss.item<double>(),
      .correct = (batch.several ? logits.gt(0).eq(batch.distributions.gt(0.5)).all(-1).sum()
                                : logits.argmax(-1).eq(batch.labels).sum())
                     .item<std::int64_t>()};
  for (const NamedParameter& parameter : model.parameters()) {
    found.tensors.emplace_back(parameter.name, parameter.tensor.grad().clone());
    at::Tensor(parameter.tensor).mutable_grad().reset();
  }
  return found;
}

Gradients fused(DiffusionClassifier& model, const Batch& batch, PassOptions options) {
  model.use_kernel(Kernel::fused, Precision::fp32);
  options.weight = 1.0 / static_cast<double>(batch.size());
  const auto figures = model.train_pass(batch, {.training = true}, options);
  Gradients found{.loss = figures->loss, .correct = figures->correct};
  const std::vector<at::Tensor> tables = testing::embedding_gradients(model);
  std::size_t table = 0;
  for (const NamedParameter& parameter : model.parameters()) {
    if (parameter.role == ParameterRole::embedding) {
      found.tensors.emplace_back(parameter.name, tables.at(table++));
      continue;
    }
    found.tensors.emplace_back(parameter.name, parameter.tensor.grad().clone());
    at::Tensor(parameter.tensor).mutable_grad().reset();
  }
  return found;
}

void expect_equal_gradients(const ModelConfig& config, const ModelShape& shape, const Batch& batch,
                            const std::string& what) {
  DiffusionClassifier model(config, shape, 3);
  if (const at::Tensor pairs = testing::parameter(model, "embedding.bigrams"); pairs.defined())
    pairs.detach().copy_(at::randn(pairs.sizes(), at::detail::createCPUGenerator(8)));
  for (const PassOptions& options : {PassOptions{}, PassOptions{.label_smoothing = 0.1},
                                     PassOptions{.label_smoothing = 0.1, .adversarial = 0.3}}) {
    const Gradients expected = by_autograd(model, batch, options);
    const Gradients found = fused(model, batch, options);
    EXPECT_NEAR(found.loss, expected.loss, 1e-5 * std::max(1.0, expected.loss)) << what;
    EXPECT_EQ(found.correct, expected.correct) << what;
    for (std::size_t i = 0; i < found.tensors.size(); ++i) {
      const at::Tensor& value = expected.tensors[i].second;
      const double largest = std::max(value.abs().max().item<double>(), 1e-4);
      EXPECT_LT(at::sub(found.tensors[i].second, value).abs().max().item<double>(), 3e-5 * largest)
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

/// Of several labels: 0 or 1 of each class by itself, in part smoothed; a text without any.
Batch with_several_labels(bool weights, std::int64_t classes) {
  Batch batch = with_targets(weights, 0);
  batch.several = true;
  const auto noise = at::arange(batch.size() * classes, at::kFloat).mul(2.3).sin();
  batch.distributions = noise.gt(0).to(at::kFloat).view({batch.size(), classes});
  batch.distributions[1].zero_();
  batch.distributions[2].mul_(0.9).add_(0.04);
  batch.labels.fill_(-1);  // nobody asks for it
  return batch;
}

TEST(FusedKernel, LearnsSeveralLabelsAsTheTensorOperationsDo) {
  expect_equal_gradients(small_config(), kShape, with_several_labels(false, 3), "labels");
  expect_equal_gradients(small_config(), kShape, with_several_labels(true, 3), "weighted ones");
  expect_equal_gradients(small_config(), {20, 37, 2}, with_several_labels(true, 37), "37 labels");
  expect_equal_gradients(small_config(), {20, 1000, 2}, with_several_labels(false, 1000),
                         "1,000 labels");
}

TEST(FusedKernel, OfSeveralLabelsStaysFiniteForLargeLogits) {
  DiffusionClassifier model(small_config(), kShape, 3);
  const at::Tensor bias = testing::parameter(model, "head.out.bias");
  bias.detach().copy_(at::tensor({300.F, -300.F, 90.F}));
  Batch batch = with_several_labels(false, 3);
  batch.distributions.zero_();
  batch.distributions.select(1, 1).fill_(1);
  const Gradients found = fused(model, batch, {});
  EXPECT_NEAR(found.loss, 690, 10) << "300 + 300 + 90, each label on its wrong side";
  EXPECT_EQ(found.correct, 0);
}

TEST(FusedKernel, ADistributionOfOneClassIsItsLabel) {
  DiffusionClassifier model(small_config(), kShape, 3);
  Batch batch = batch_of(kTexts);
  const Gradients by_label = fused(model, batch, {});
  batch.distributions = at::zeros({batch.size(), 3});
  batch.distributions.scatter_(1, batch.labels.unsqueeze(1), 1.0);
  const Gradients by_distribution = fused(model, batch, {.label_smoothing = 0.5});
  EXPECT_NEAR(by_distribution.loss, by_label.loss, 1e-6);
  EXPECT_EQ(by_distribution.correct, by_label.correct);
  for (std::size_t i = 0; i < by_label.tensors.size(); ++i)
    EXPECT_TRUE(by_distribution.tensors[i].second.allclose(by_label.tensors[i].second, 1e-5, 1e-7))
        << by_label.tensors[i].first;
}

TEST(FusedKernel, HasTheGradientsOfAutograd) {
  std::vector<ModelConfig> configs(8, small_config());
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
  configs[5].bigram_buckets = 16;  // of which texts share some
  configs[5].bigram_dropout = 0;
  configs[6] = configs[5];
  configs[6].base = BaseState::initial;
  configs[6].bigram_buckets = 1;
  configs[7].share_weights = true;  // the first two entries of dilation come twice, the last once
  configs[7].steps = 5;
  configs[7].dilation = {1, 2, 1};
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
    config.model.bigram_dropout = 0;
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
  ModelConfig config = small_config();
  config.bigram_buckets = 7;
  config.bigram_dropout = 0;
  DiffusionClassifier model(config, kShape, 3);
  const Batch all = batch_of(kTexts);
  const Gradients whole = fused(model, all, {});
  model.use_kernel(Kernel::fused, Precision::fp32);
  double loss = 0;
  for (const Sequences& part : {Sequences(kTexts.begin(), kTexts.begin() + 3),
                                Sequences(kTexts.begin() + 3, kTexts.end())}) {
    Batch batch = batch_of(part);
    const std::int64_t first = part.size() == 3 ? 0 : 3;
    batch.labels = all.labels.narrow(0, first, batch.size());
    loss += model.train_pass(batch, {.training = true}, {.weight = 0.2})->loss;
  }
  EXPECT_NEAR(loss, whole.loss, 1e-6);
  const std::vector<at::Tensor> tables = testing::embedding_gradients(model);
  ASSERT_EQ(tables.size(), 2U);
  for (std::size_t table = 0; table < tables.size(); ++table)
    EXPECT_TRUE(tables[table].allclose(whole.tensors[table].second, 0, 1e-6)) << table;
}

TEST(FusedKernel, TellsWhichRowsItIsAboutToReadOnce) {
  ModelConfig config = small_config();
  config.bigram_buckets = 1 << 20;
  config.bigram_dropout = 0;
  DiffusionClassifier model(config, kShape, 3);
  model.use_kernel(Kernel::fused, Precision::fp32);
  using Told = std::vector<std::vector<std::int32_t>>;
  Told told[2];
  const PassOptions options{
      .before_rows = [&](std::size_t table, std::span<const std::int32_t> ids, WorkerPool&) {
        told[table].emplace_back(ids.begin(), ids.end());
      }};
  model.train_pass(batch_of({{1, 4, 4, 9}}), {.training = true}, options);
  model.train_pass(batch_of({{4, 4, 7}}), {.training = true}, options);
  model.row_gradients();
  model.train_pass(batch_of({{9}}), {.training = true}, options);
  EXPECT_EQ(told[0], (Told{{1, 4, 9}, {7}, {9}}));
  const auto pair = [](std::int64_t previous, std::int64_t token) {
    return bigram_row(previous + 1, token, 1 << 20);
  };
  EXPECT_EQ(told[1], (Told{{pair(-1, 1), pair(1, 4), pair(4, 4), pair(4, 9)},
                           {pair(-1, 4), pair(4, 7)},
                           {pair(-1, 9)}}));
}

}  // namespace
}  // namespace diffuse
