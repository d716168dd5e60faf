#include "diffuse/model/diffusion_classifier.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/noisy_embedding.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using testing::batch_of;
using testing::evaluate;
using testing::kShape;
using testing::parameter;
using testing::Sequences;
using testing::small_config;
using testing::training_context;

const Sequences kSequences = {{1, 4, 4, 9}, {3}, {0, 19, 5, 7, 11, 13}, {8, 2}};

/// Some very different models.
std::vector<ModelConfig> various_configs() {
  std::vector<ModelConfig> configs(4, small_config());
  configs[1].weight = WeightKind::full;
  configs[1].dilation = {1, 4};
  configs[1].norm = NormPosition::post;
  configs[2].weight = WeightKind::scalar;
  configs[2].function = FunctionKind::glu;
  configs[2].base = BaseState::initial;
  configs[2].radius = 3;
  configs[2].self_neighbour = false;
  configs[3].steps = 0;
  return configs;
}

TEST(DiffusionClassifier, IsNotTouchedByTheOtherSequencesOfABatch) {
  for (const ModelConfig& config : various_configs()) {
    DiffusionClassifier model(config, kShape, 3);
    const at::Tensor together = evaluate(model, kSequences);
    Sequences reversed(kSequences.rbegin(), kSequences.rend());
    EXPECT_TRUE(evaluate(model, reversed).flip(0).allclose(together, 1e-6, 1e-6));
    for (std::size_t b = 0; b < kSequences.size(); ++b) {
      const at::Tensor alone = evaluate(model, {kSequences[b]});
      EXPECT_TRUE(alone[0].allclose(together[static_cast<std::int64_t>(b)], 1e-6, 1e-6)) << b;
    }
  }
}

TEST(DiffusionClassifier, ABatchIsSmallByItsElementsAndItsProducts) {
  const auto small = [](const ModelConfig& config, std::size_t tokens) {
    return DiffusionClassifier(config, kShape, 1)
        .is_small(batch_of({std::vector<std::int32_t>(tokens, 1)}));
  };
  ModelConfig config = small_config();
  config.dim = 64;
  config.steps = 2;
  config.function = FunctionKind::linear;
  EXPECT_TRUE(small(config, 512));  // 2 x 64 x 64 products a token
  EXPECT_FALSE(small(config, 513));
  config.share_weights = true;
  EXPECT_FALSE(small(config, 513));
  config.steps = 8;
  EXPECT_FALSE(small(config, 512));
  config.steps = 0;
  EXPECT_TRUE(small(config, 512));
  EXPECT_FALSE(small(config, 513)) << "more elements than one thread's share";
  config.dim = 256;
  config.steps = 4;
  config.share_weights = false;
  config.function = FunctionKind::mlp;
  EXPECT_FALSE(small(config, 64)) << "much to multiply";
}

TEST(DiffusionClassifier, IsNotTouchedByHugeNeighbours) {
  // A leak of one part in 1e9 would show.
  DiffusionClassifier model(small_config(), kShape, 3);
  const at::Tensor before = evaluate(model, {{1, 4}, {3}, {5, 6}})[1];
  {
    const at::NoGradGuard no_grad;
    const at::Tensor embedding = parameter(model, "embedding.weight");
    for (const std::int64_t token : {1, 4, 5, 6}) embedding[token].mul_(1e9);
  }
  EXPECT_TRUE(at::equal(evaluate(model, {{1, 4}, {3}, {5, 6}})[1], before));
}

TEST(DiffusionClassifier, IsNotTouchedByInfinitiesAndNaNsInOtherSequences) {
  // Token 9 stands in the middle sequence alone.
  const Sequences sequences = {{1, 4, 6}, {5, 9, 9, 5, 7}, {3}, {8, 2, 10, 11}};
  for (ModelConfig config : various_configs()) {
    for (const Pooling pooling : {Pooling::mean, Pooling::max, Pooling::mean_max}) {
      config.pooling = pooling;
      DiffusionClassifier model(config, kShape, 3);
      const at::Tensor embedding = parameter(model, "embedding.weight");
      const auto logits_and_gradient = [&] {
        embedding.mutable_grad().reset();
        const at::Tensor logits = model.forward(batch_of(sequences), {});
        logits.sum().backward();
        return std::pair(logits.detach(), embedding.grad().detach().clone());
      };
      const auto [clean, clean_gradient] = logits_and_gradient();
      for (const float poison : {INFINITY, -INFINITY, NAN}) {
        {
          const at::NoGradGuard no_grad;
          embedding[9].fill_(poison);
        }
        const auto [logits, gradient] = logits_and_gradient();
        if (std::isnan(poison)) {
          EXPECT_FALSE(logits[1].isfinite().any().item<bool>()) << "nothing was spoiled";
        }
        for (const std::int64_t b : {0, 2, 3}) EXPECT_TRUE(at::equal(logits[b], clean[b])) << b;
        for (const std::int64_t token : {1, 2, 3, 4, 6, 8, 10, 11})
          EXPECT_TRUE(at::equal(gradient[token], clean_gradient[token])) << token;
      }
    }
  }
}

TEST(DiffusionClassifier, ReadsItsNeighbours) {
  // The counterpart of the tests above: inside a sequence the order does matter.
  for (const ModelConfig& config : various_configs()) {
    if (config.steps == 0) continue;
    DiffusionClassifier model(config, kShape, 3);
    EXPECT_FALSE(
        evaluate(model, {{1, 2, 3, 4, 5}}).allclose(evaluate(model, {{3, 1, 5, 2, 4}}), 1e-3));
  }
}

TEST(DiffusionClassifier, WorksOnSequencesShorterThanTheReach) {
  ModelConfig config = small_config();
  config.dilation = {50};
  config.self_neighbour = false;
  for (const WeightKind weight : {WeightKind::scalar, WeightKind::channel, WeightKind::full}) {
    config.weight = weight;
    DiffusionClassifier model(config, kShape, 3);
    const at::Tensor logits = model.forward(batch_of({{5}, {6}}), {});
    EXPECT_TRUE(logits.isfinite().all().item<bool>());
    logits.sum().backward();
    for (const NamedParameter& p : model.parameters()) {
      EXPECT_TRUE(p.tensor.grad().defined()) << p.name;
    }
  }
}

TEST(DiffusionClassifier, WithoutStepsIsABagOfWords) {
  ModelConfig config = small_config();
  config.steps = 0;
  for (const Pooling pooling : {Pooling::mean, Pooling::max, Pooling::mean_max}) {
    config.pooling = pooling;
    DiffusionClassifier model(config, kShape, 3);
    EXPECT_TRUE(evaluate(model, {{7, 1, 9, 9, 4}})
                    .allclose(evaluate(model, {{9, 4, 9, 7, 1}}), 1e-6, 1e-6));
  }
}

TEST(DiffusionClassifier, IsAPowerOfABandedMatrixWhereEverythingIsLinear) {
  // Scalar W, linear f, no activation, one linear head: the logits are
  // mean over i of (A^T E[x])_i with A = alpha I + (1 - alpha) band(W), applied through f's matrix.
  ModelConfig config = small_config();
  config.weight = WeightKind::scalar;
  config.activation = Activation::identity;
  config.norm = NormPosition::none;
  config.pooling = Pooling::mean;
  config.head_hidden_dim = 0;
  config.steps = 5;
  config.alpha = 0.3;
  config.share_weights = true;
  DiffusionClassifier model(config, kShape, 3);
  {
    const at::NoGradGuard no_grad;
    parameter(model, "steps.0.function.in.weight").copy_(at::eye(config.dim));
    parameter(model, "steps.0.function.in.bias").zero_();
  }
  model.to_dtype(at::kDouble);
  const std::vector<std::int32_t> sequence = {4, 17, 2, 2, 9, 11, 6};
  const auto n = static_cast<std::int64_t>(sequence.size());

  const at::NoGradGuard no_grad;
  const at::Tensor w = parameter(model, "steps.0.weight");
  const at::Tensor matrix = at::eye(n, at::kDouble).mul(config.alpha);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = -1; k <= 1; ++k) {
      if (i + k >= 0 && i + k < n) matrix[i][i + k].add_(w[k + 1].mul(1 - config.alpha));
    }
  }
  const at::Tensor embedded =
      parameter(model, "embedding.weight").index_select(0, batch_of({sequence}).tokens);
  const at::Tensor pooled = matrix.matrix_power(config.steps).matmul(embedded).mean(0, true);
  const at::Tensor expected =
      pooled.matmul(parameter(model, "head.out.weight").t()).add(parameter(model, "head.out.bias"));
  EXPECT_TRUE(evaluate(model, {{1, 2, 3}, sequence, {5}})[1].allclose(expected[0], 1e-12, 1e-12));
}

TEST(DiffusionClassifier, StartsFromItsSeedAlone) {
  const DiffusionClassifier one(small_config(), kShape, 3);
  const DiffusionClassifier same(small_config(), kShape, 3);
  const DiffusionClassifier other(small_config(), kShape, 4);
  for (std::size_t i = 0; i < one.parameters().size(); ++i) {
    EXPECT_TRUE(at::equal(one.parameters()[i].tensor, same.parameters()[i].tensor));
  }
  EXPECT_FALSE(at::equal(parameter(one, "embedding.weight"), parameter(other, "embedding.weight")));
}

TEST(DiffusionClassifier, StartsWithTheWeightsThatTheConfigNames) {
  ModelConfig config = small_config();
  config.weight_init_std = 0.0;
  const DiffusionClassifier mean(config, kShape, 1);
  EXPECT_TRUE(parameter(mean, "steps.0.weight").allclose(at::zeros({3, 6}).add(1.0 / 3.0)));
  config.weight_init = 0.25;
  config.weight = WeightKind::full;
  config.alpha_learned = true;
  config.alpha = 0.8;
  const DiffusionClassifier full(config, kShape, 1);
  EXPECT_TRUE(parameter(full, "steps.1.weight")[2].allclose(at::eye(6).mul(0.25)));
  EXPECT_TRUE(parameter(full, "steps.0.alpha_logit").sigmoid().allclose(at::zeros({6}).add(0.8)));
  config.weight = WeightKind::channel;
  config.dim = 4000;
  config.weight_init_std = 0.5;
  config.function = FunctionKind::mlp;
  config.hidden_dim = 1;
  config.head_hidden_dim = 0;
  const DiffusionClassifier wide(config, kShape, 1);
  EXPECT_NEAR(parameter(wide, "steps.0.weight").mean().item<double>(), 0.25, 0.03);
  EXPECT_NEAR(parameter(wide, "steps.0.weight").std().item<double>(), 0.5, 0.03);
}

TEST(DiffusionClassifier, NamesItsParametersAndTheirRoles) {
  ModelConfig config = small_config();
  config.weight = WeightKind::full;
  config.alpha_learned = true;
  config.function = FunctionKind::mlp;
  const DiffusionClassifier model(config, kShape, 1);
  std::vector<std::string> matrices;
  std::set<std::string> names;
  for (const NamedParameter& p : model.parameters()) {
    EXPECT_TRUE(names.insert(p.name).second) << p.name;
    EXPECT_TRUE(p.tensor.requires_grad());
    if (p.role == ParameterRole::matrix) matrices.push_back(p.name);
    EXPECT_EQ(p.role == ParameterRole::embedding, p.name == "embedding.weight");
  }
  EXPECT_THAT(matrices,
              ::testing::ElementsAre("steps.0.weight", "steps.0.function.in.weight",
                                     "steps.0.function.out.weight", "steps.1.weight",
                                     "steps.1.function.in.weight", "steps.1.function.out.weight",
                                     "head.in.weight", "head.out.weight"));
  EXPECT_EQ(names.size(), 21U);
  // Embedding 20·6; a step: W 3·6·6, alpha 6, norm 2·6, f 12·6 + 12 + 6·12 + 6; head 12·6 + 6,
  // 6·3 + 3.
  EXPECT_EQ(parameter_count(model), 120 + 2 * (108 + 6 + 12 + 162) + 78 + 21);
}

TEST(DiffusionClassifier, LeavesFixedWeightsOutOfItsParameters) {
  ModelConfig config = small_config();
  config.weight_learned = false;
  DiffusionClassifier model(config, kShape, 1);
  EXPECT_FALSE(parameter(model, "steps.0.weight").defined());
  // They still follow the model.
  model.to_dtype(at::kDouble);
  EXPECT_EQ(evaluate(model, kSequences).scalar_type(), at::kDouble);
}

TEST(DiffusionClassifier, GivesFloat32Logits) {
  DiffusionClassifier model(small_config(), kShape, 1);
  const at::Tensor logits = evaluate(model, kSequences);
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{4, 3}));
  model.to_dtype(at::kBFloat16);
  EXPECT_EQ(evaluate(model, kSequences).scalar_type(), at::kFloat);
}

TEST(DiffusionClassifier, MovesKeepingItsValuesAndGradients) {
  DiffusionClassifier model(small_config(), kShape, 1);
  const at::Tensor before = evaluate(model, kSequences);
  model.to(at::kCPU);
  EXPECT_EQ(model.device(), at::kCPU);
  EXPECT_TRUE(at::equal(evaluate(model, kSequences), before));
  model.forward(batch_of(kSequences), {}).sum().backward();
  EXPECT_TRUE(parameter(model, "head.out.weight").grad().defined());
}

TEST(DiffusionClassifier, RefusesBrokenBatches) {
  DiffusionClassifier model(small_config(), kShape, 1);
  for (const std::vector<std::int32_t>& offsets :
       {std::vector<std::int32_t>{0, 2}, {0, 2, 2, 3}, {0, 5, 3}, {1, 3}, {0}, {}}) {
    Batch batch = batch_of({{1, 2, 3}});
    batch.host_offsets = offsets;
    EXPECT_THROW(model.forward(batch, {}), Error);
  }
}

TEST(DiffusionClassifier, RefusesImpossibleConfigs) {
  const auto message = [](const ModelConfig& config) -> std::string {
    try {
      DiffusionClassifier model(config, kShape, 1);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  ModelConfig dilation = small_config();
  dilation.steps = 1;
  dilation.dilation = {1, 2};
  EXPECT_THAT(message(dilation), ::testing::HasSubstr("model.dilation: 2 entries"));
  ModelConfig empty = small_config();
  empty.radius = 0;
  empty.self_neighbour = false;
  EXPECT_THAT(message(empty), ::testing::HasSubstr("model.radius: 0"));
  ModelConfig alpha = small_config();
  alpha.alpha_learned = true;
  alpha.alpha = 1.0;
  EXPECT_THAT(message(alpha), ::testing::HasSubstr("model.alpha: 1"));
  EXPECT_THROW(DiffusionClassifier(small_config(), {0, 3, 0}, 1), Error);
  EXPECT_THROW(DiffusionClassifier(small_config(), {20, 0, 0}, 1), Error);
  EXPECT_THROW(DiffusionClassifier(small_config(), {20, 3, 20}, 1), Error);
}

}  // namespace
}  // namespace diffuse
