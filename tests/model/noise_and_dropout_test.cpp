// What is drawn in training: the embedding's noise, hidden tokens and dropout.

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "diffuse/model/diffusion_classifier.hpp"
#include "diffuse/model/noisy_embedding.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using testing::batch_of;
using testing::evaluate;
using testing::kShape;
using testing::Sequences;
using testing::small_config;
using testing::training_context;

const Sequences kSequences = {{1, 4, 4, 9}, {3}, {0, 19, 5, 7, 11, 13}, {8, 2}};

TEST(NoiseAndDropout, DrawsNoiseAndDropoutInTrainingAlone) {
  std::vector<ModelConfig> configs(4, small_config());
  configs[0].noise_std = 0.1;
  configs[1].token_dropout = 0.5;
  configs[2].embedding_dropout = 0.5;
  configs[3].head_dropout = 0.5;
  for (const ModelConfig& config : configs) {
    DiffusionClassifier model(config, kShape, 3);
    EXPECT_FALSE(model.random_at_evaluation());
    const at::Tensor still = evaluate(model, kSequences);
    EXPECT_TRUE(at::equal(evaluate(model, kSequences), still));
    const Batch batch = batch_of(kSequences);
    const at::Tensor first = model.forward(batch, training_context(1));
    EXPECT_TRUE(at::equal(model.forward(batch, training_context(1)), first));
    EXPECT_FALSE(at::equal(model.forward(batch, training_context(2)), first));
    EXPECT_FALSE(at::equal(first, still));
    EXPECT_THROW(model.forward(batch, {true, {}}), Error);
  }
  DiffusionClassifier model(small_config(), kShape, 3);
  EXPECT_TRUE(at::equal(model.forward(batch_of(kSequences), training_context(1)),
                        evaluate(model, kSequences)));
}

TEST(NoiseAndDropout, AddsNoiseAtEvaluationWhereTheConfigSaysSo) {
  ModelConfig config = small_config();
  config.noise_std = 0.5;
  config.noise_at_evaluation = true;
  DiffusionClassifier model(config, kShape, 3);
  EXPECT_TRUE(model.random_at_evaluation());
  const Batch batch = batch_of(kSequences);
  const auto logits = [&](std::uint64_t seed) {
    return model.forward(batch, {false, at::detail::createCPUGenerator(seed)});
  };
  EXPECT_TRUE(at::equal(logits(1), logits(1)));
  EXPECT_FALSE(at::equal(logits(1), logits(2)));
  EXPECT_THROW(model.forward(batch, {}), Error);
}

TEST(NoiseAndDropout, PutsTheMaskTokenInDroppedTokensPlaces) {
  ModelConfig config = small_config();
  config.token_dropout = 0.4;
  config.steps = 0;
  config.pooling = Pooling::mean;
  config.head_hidden_dim = 0;
  DiffusionClassifier model(config, kShape, 3);
  const at::Tensor token = evaluate(model, {{5}})[0];
  const at::Tensor mask = evaluate(model, {{kShape.mask_id}})[0];
  const Sequences many(2000, {5});
  const at::Tensor logits = model.forward(batch_of(many), training_context(1)).detach();
  int dropped = 0;
  for (std::int64_t b = 0; b < logits.size(0); ++b) {
    const bool is_mask = logits[b].allclose(mask);
    ASSERT_TRUE(is_mask || logits[b].allclose(token));
    dropped += is_mask;
  }
  EXPECT_NEAR(dropped / 2000.0, 0.4, 0.05);
}

TEST(NoiseAndDropout, HidesSpansOfTokens) {
  ModelConfig config = small_config();
  config.token_dropout = 0.3;
  config.token_dropout_span = 4;
  FreshTensors tensors(1);
  const NoisyEmbedding embedding(config, kShape.vocab_size, kShape.mask_id, tensors);
  const Batch batch = batch_of({std::vector<std::int32_t>(5000, 5)});
  const at::Tensor hidden = embedding.forward(batch, training_context(1))
                                .sub(embedding.weight()[kShape.mask_id])
                                .abs()
                                .sum(1)
                                .eq(0);
  EXPECT_NEAR(hidden.to(at::kDouble).mean().item<double>(), 0.3, 0.04);
  const auto* const is_hidden = hidden.const_data_ptr<bool>();
  std::int64_t run = 0;
  for (std::int64_t i = 0; i < hidden.size(0); ++i) {
    if (!is_hidden[i] && run > 0) {
      ASSERT_GE(run, 4) << "before token " << i;
    }
    run = is_hidden[i] ? run + 1 : 0;
  }
}

TEST(Dropout, KeepsTheMeanAndScales) {
  const at::Tensor x = at::zeros({1000, 101}).add(2.0);
  const at::Tensor y = dropout(x, 0.25, training_context(1));
  const at::Tensor zero = y.eq(0);
  EXPECT_NEAR(zero.to(at::kDouble).mean().item<double>(), 0.25, 0.01);
  EXPECT_TRUE(y.masked_select(zero.logical_not()).allclose(at::zeros({1}).add(2.0 / 0.75)));
  EXPECT_TRUE(at::equal(dropout(x, 0.25, {}), x));
}

TEST(Dropout, RoundsItsProductAndNotItsFactor) {
  const at::Tensor x = at::arange(1, 257, at::kDouble).to(at::kBFloat16).set_requires_grad(true);
  const at::Tensor y = dropout(x, 0.3, training_context(1));
  const at::Tensor wanted = x.detach().to(at::kFloat).mul(1.0 / 0.7).mul(y.detach().ne(0));
  EXPECT_TRUE(at::equal(y.detach(), wanted.to(at::kBFloat16)));
  y.backward(x.detach());
  EXPECT_TRUE(at::equal(x.grad(), y.detach()));
}

TEST(RandomMask, HoldsAtTheEndsOfTheRange) {
  const at::Generator generator = at::detail::createCPUGenerator(1);
  EXPECT_FALSE(random_mask({9999}, 0.0, at::kCPU, generator).any().item<bool>());
  EXPECT_GT(random_mask({9999}, 1.0, at::kCPU, generator).to(at::kFloat).mean().item<float>(),
            0.999F);
}

TEST(NoisyEmbedding, TheNoiseHasTheStandardDeviationOfTheConfig) {
  ModelConfig config;
  config.dim = 32;
  config.noise_std = 0.3;
  config.token_dropout = 0;
  config.embedding_dropout = 0;
  FreshTensors tensors(1);
  const NoisyEmbedding embedding(config, 8, 7, tensors);
  const Batch batch = batch_of({std::vector<std::int32_t>(1000, 0)});
  const at::Tensor noise =
      embedding.forward(batch, training_context(3)).sub(embedding.forward(batch, {})).detach();
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.01);
  EXPECT_NEAR(noise.std().item<double>(), 0.3, 0.01);
}

}  // namespace
}  // namespace diffuse
