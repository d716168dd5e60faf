// A classifier by operations of ours against the fused kernel, which draws the same random numbers.

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/model/diffusion_classifier.hpp"
#include "support.hpp"
#include "support/message_of.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

using testing::batch_of;
using testing::kShape;
using testing::Sequences;
using testing::small_config;

const Sequences kDispatchedTexts = {
    {1, 4, 4, 9}, {3}, {0, 19, 5, 7, 11, 13}, {8, 2}, {4, 4, 4, 4, 4}};
constexpr RandomPlace kPlace{.seed = 4, .update = 7, .batch = 1};
constexpr ModelShape kPixels{.vocab_size = 257, .class_count = 3, .mask_id = 256, .numbers = true};

/// Everything that a model draws in training.
ModelConfig random_config() {
  ModelConfig config = small_config();
  config.bigram_buckets = 64;
  config.bigram_dropout = 0.4;
  config.token_dropout = config.embedding_dropout = config.head_dropout = 0.3;
  config.token_dropout_span = 2;
  config.noise_std = 0.5;
  return config;
}

struct Pass {
  double loss = 0;
  std::vector<std::pair<std::string, at::Tensor>> gradients{};
};

void fill_pairs(Classifier& model) {
  if (const at::Tensor pairs = testing::parameter(model, "embedding.bigrams"); pairs.defined())
    pairs.detach().copy_(at::randn(pairs.sizes(), at::detail::createCPUGenerator(8)));
}

Pass by_fused(const ModelConfig& config, const ModelShape& shape) {
  DiffusionClassifier model(config, shape, 3);
  fill_pairs(model);
  model.use_kernel(Kernel::fused, Precision::fp32);
  const Batch batch = batch_of(kDispatchedTexts);
  const auto figures = model.train_pass(batch, {.training = true, .place = kPlace},
                                        {.weight = 1.0 / static_cast<double>(batch.size())});
  Pass pass{.loss = figures->loss};
  const std::vector<at::Tensor> tables = testing::embedding_gradients(model);
  std::size_t table = 0;
  for (const NamedParameter& parameter : model.parameters())
    pass.gradients.emplace_back(parameter.name, parameter.role == ParameterRole::embedding
                                                    ? tables.at(table++)
                                                    : parameter.tensor.grad());
  return pass;
}

class DispatchedKernelOn : public testing::OnDevice {
 protected:
  Pass by_operations(const ModelConfig& config, const ModelShape& shape) const {
    DiffusionClassifier model(config, shape, 3);
    fill_pairs(model);
    model.to(device_);
    model.use_kernel(Kernel::operations, Precision::fp32);
    EXPECT_EQ(model.kernel(), Kernel::operations);
    EXPECT_FALSE(model.is_fused());
    const Batch batch = testing::batch_on(batch_of(kDispatchedTexts), device_);
    const at::Tensor logits = model.forward(batch, {.training = true, .place = kPlace});
    const at::Tensor loss = at::cross_entropy_loss(logits, batch.labels);
    loss.backward();
    Pass pass{.loss = loss.item<double>()};
    for (const NamedParameter& parameter : model.parameters())
      pass.gradients.emplace_back(parameter.name, parameter.tensor.grad().cpu());
    return pass;
  }

  void expect_the_fused_kernels(const ModelConfig& config, const std::string& what,
                                const ModelShape& shape = kShape) const {
    const Pass expected = by_fused(config, shape);
    const Pass found = by_operations(config, shape);
    EXPECT_NEAR(found.loss, expected.loss, 1e-5 * std::max(1.0, expected.loss)) << what;
    for (std::size_t i = 0; i < found.gradients.size(); ++i) {
      const at::Tensor& value = expected.gradients[i].second;
      const double largest = std::max(value.abs().max().item<double>(), 1e-4);
      EXPECT_LT(at::sub(found.gradients[i].second, value).abs().max().item<double>(),
                3e-5 * largest)
          << what << ": " << found.gradients[i].first;
    }
  }
};

TEST_P(DispatchedKernelOn, DrawsAndComputesWhatTheFusedKernelDoes) {
  expect_the_fused_kernels(small_config(), "nothing random");
  expect_the_fused_kernels(random_config(), "all random");
  ModelConfig config = random_config();
  config.function = FunctionKind::mlp;
  config.share_weights = true;
  config.base = BaseState::initial;
  config.weight = WeightKind::scalar;
  config.pooling = Pooling::mean;
  expect_the_fused_kernels(config, "shared weights");
  config = random_config();
  config.function = FunctionKind::glu;
  config.weight = WeightKind::full;
  config.alpha_learned = true;
  config.norm = NormPosition::post;
  config.pooling = Pooling::mean_max;
  config.head_hidden_dim = 0;
  expect_the_fused_kernels(config, "matrices");
  config = random_config();
  config.dim = 19;
  config.radius = 18;  // more neighbours than one operation takes
  config.pooling = Pooling::max;
  expect_the_fused_kernels(config, "many neighbours");
  config = random_config();
  config.steps = 0;
  expect_the_fused_kernels(config, "no steps");
  config = random_config();
  config.causal = true;
  config.dilation = {1, 3};
  config.steps = 4;
  config.share_weights = true;
  expect_the_fused_kernels(config, "looking back, a set of weights for each dilation");
  config = random_config();
  config.bigram_buckets = 0;  // numbers have no pairs
  config.dilation = {2, 1};
  expect_the_fused_kernels(config, "numbers", kPixels);
}

TEST_P(DispatchedKernelOn, EvaluatesAsTheReference) {
  DiffusionClassifier model(random_config(), kShape, 3);
  fill_pairs(model);
  const at::Tensor expected = testing::evaluate(model, kDispatchedTexts);
  model.to(device_);
  model.use_kernel(Kernel::operations, Precision::fp32);
  const at::NoGradGuard no_grad;
  const at::Tensor found =
      model.forward(testing::batch_on(batch_of(kDispatchedTexts), device_), {});
  EXPECT_TRUE(found.cpu().allclose(expected, 1e-4, 1e-5));
}

TEST_P(DispatchedKernelOn, NoiseAtEvaluationNeedsAGeneratorAndFollowsIt) {
  ModelConfig config = random_config();
  config.noise_at_evaluation = true;
  DiffusionClassifier model(config, kShape, 3);
  model.to(device_);
  model.use_kernel(Kernel::operations, Precision::fp32);
  const Batch batch = testing::batch_on(batch_of(kDispatchedTexts), device_);
  const at::NoGradGuard no_grad;
  EXPECT_EQ(testing::message_of<Error>([&] { model.forward(batch, {}); }),
            "The model adds noise here, but ForwardContext has no generator.");
  const auto logits = [&](std::uint64_t seed) {
    return model.forward(batch, {.generator = make_generator(device_, seed)});
  };
  EXPECT_TRUE(logits(1).equal(logits(1)));
  EXPECT_FALSE(logits(1).equal(logits(2)));
}

INSTANTIATE_TEST_SUITE_P(, DispatchedKernelOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
