// Hashed bigrams in a classifier: what their dropout leaves out, and where they stand.

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "diffuse/ops/bigrams.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kBuckets = 1 << 20;
constexpr ModelShape kManyWords{2000, 3, 2};

ModelConfig with_bigrams() {
  ModelConfig config = testing::small_config();
  config.bigram_buckets = kBuckets;
  return config;
}

/// 40 texts of 25 tokens, each token once.
testing::Sequences different_tokens() {
  testing::Sequences texts(40);
  for (std::int32_t i = 0; i < 1000; ++i) texts[static_cast<std::size_t>(i / 25)].push_back(i + 10);
  return texts;
}

TEST(Bigrams, StartAtZeroAndLeaveTheOtherWeightsAsTheyWere) {
  const DiffusionClassifier with(with_bigrams(), kManyWords, 3);
  const DiffusionClassifier without(testing::small_config(), kManyWords, 3);
  for (const NamedParameter& p : with.parameters()) {
    if (p.name == "embedding.bigrams") {
      EXPECT_EQ(p.role, ParameterRole::embedding);
      EXPECT_EQ(p.tensor.sizes(), (at::IntArrayRef{kBuckets, 6}));
      EXPECT_EQ(p.tensor.abs().max().item<float>(), 0);
    } else {
      EXPECT_TRUE(at::equal(p.tensor, testing::parameter(without, p.name))) << p.name;
    }
  }
  EXPECT_EQ(with.parameters().size(), without.parameters().size() + 1);
}

TEST(Bigrams, TellAWordsNeighbourWithoutAnyStep) {
  ModelConfig config = with_bigrams();
  config.steps = 0;
  config.pooling = Pooling::mean;
  DiffusionClassifier model(config, kManyWords, 3);
  const auto apart = [&] {
    const at::Tensor logits = testing::evaluate(model, {{5, 6, 7}, {6, 5, 7}});
    return logits[0].sub(logits[1]).abs().max().item<float>();
  };
  EXPECT_LT(apart(), 1e-5);
  testing::parameter(model, "embedding.bigrams")
      .detach()
      .normal_(0, 1, at::detail::createCPUGenerator(1));
  EXPECT_GT(apart(), 1e-2);
}

/// The gradients of both embeddings, tokens' and pairs', of a training pass over `texts`.
std::vector<at::Tensor> training_gradients(const ModelConfig& config, Kernel kernel,
                                           const testing::Sequences& texts) {
  DiffusionClassifier model(config, kManyWords, 3);
  model.use_kernel(kernel, Precision::fp32);
  const Batch batch = testing::batch_of(texts);
  ForwardContext context = testing::training_context(5);
  context.place = {.seed = 4, .update = 1};
  if (kernel == Kernel::fused) {
    model.train_pass(batch, context, {});
    return testing::embedding_gradients(model);
  }
  at::cross_entropy_loss(model.forward(batch, context), batch.labels, {}, at::Reduction::Sum)
      .backward();
  return {testing::parameter(model, "embedding.weight").grad(),
          testing::parameter(model, "embedding.bigrams").grad()};
}

TEST(Bigrams, DropoutLeavesWholeRowsOutAndMultipliesTheOthers) {
  for (const Kernel kernel : {Kernel::fused, Kernel::operations, Kernel::reference}) {
    const auto gradients = training_gradients(with_bigrams(), kernel, different_tokens());
    std::set<std::int32_t> rows;
    std::size_t pairs = 0;
    std::size_t kept = 0;
    for (const std::vector<std::int32_t>& text : different_tokens()) {
      std::int64_t previous = 0;
      for (const std::int32_t token : text) {
        const std::int32_t row = bigram_row(previous, token, kBuckets);
        previous = token + 1;
        rows.insert(row);
        ++pairs;
        const at::Tensor found = gradients[1][row];
        if (found.abs().max().item<float>() == 0) continue;
        ++kept;
        // The token stands here alone, and so does its pair.
        EXPECT_TRUE(found.allclose(gradients[0][token].mul(2), 1e-4, 1e-9)) << token;
      }
    }
    ASSERT_EQ(rows.size(), pairs);
    EXPECT_NEAR(static_cast<double>(kept) / static_cast<double>(pairs), 0.5, 0.06);
  }
}

TEST(Bigrams, ArePairsOfTheTokensThatTokenDropoutLeaves) {
  ModelConfig config = with_bigrams();
  config.token_dropout = 0.9999;
  config.bigram_dropout = 0;
  for (const Kernel kernel : {Kernel::fused, Kernel::operations, Kernel::reference}) {
    const auto gradients = training_gradients(config, kernel, different_tokens());
    const std::int64_t mask = kManyWords.mask_id;
    std::set<std::int64_t> rows;
    for (std::int64_t row = 0; row < kBuckets; ++row)
      if (gradients[1].const_data_ptr<float>()[row * 6] != 0) rows.insert(row);
    EXPECT_EQ(rows, (std::set<std::int64_t>{bigram_row(0, mask, kBuckets),
                                            bigram_row(mask + 1, mask, kBuckets)}));
  }
}

}  // namespace
}  // namespace diffuse
