#include "../../src/model/piecewise_classifier.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "checkpoint_fixture.hpp"
#include "diffuse/model/model_factory.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

Config pooling_config() {
  Config config;
  config.model = testing::small_config();
  config.model.bigram_buckets = 64;
  config.tokenizer.max_tokens = 3;
  config.tokenizer.long_texts = LongTexts::pool;
  return config;
}

const testing::Sequences kPieceTexts = {{4, 5, 6, 7, 8}, {9, 10}, {1, 3, 5, 7, 9, 11, 13}};

TEST(PiecewiseClassifier, AnswersWithTheMeanOfThePieces) {
  const Config config = pooling_config();
  const auto pooled = make_classifier(config, testing::kShape, 4);
  Config plain = config;
  plain.tokenizer.long_texts = LongTexts::cut;
  const auto whole = make_classifier(plain, testing::kShape, 4);
  for (const Kernel kernel : {Kernel::reference, Kernel::fused}) {
    pooled->use_kernel(kernel, Precision::fp32);
    whole->use_kernel(kernel, Precision::fp32);
    EXPECT_EQ(pooled->kernel(), kernel);
    const at::Tensor pieces =
        testing::evaluate(*whole, {{4, 5}, {6, 7, 8}, {9, 10}, {1, 3}, {5, 7}, {9, 11, 13}});
    const at::Tensor expected =
        at::stack({pieces.slice(0, 0, 2).mean(0), pieces[2], pieces.slice(0, 3, 6).mean(0)});
    EXPECT_TRUE(at::allclose(testing::evaluate(*pooled, kPieceTexts), expected, 1e-5, 1e-6));
  }
  EXPECT_FALSE(at::allclose(testing::evaluate(*whole, kPieceTexts),
                            testing::evaluate(*pooled, kPieceTexts)));
}

TEST(PiecewiseClassifier, ReadsThePairsOfItsPieces) {
  const auto pooled = make_classifier(pooling_config(), testing::kShape, 4);
  const auto rows = pooled->embedding_rows(testing::batch_of(kPieceTexts));
  ASSERT_EQ(rows.size(), 2U);
  const auto of_pieces = pooled->embedding_rows(
      testing::batch_of({{4, 5}, {6, 7, 8}, {9, 10}, {1, 3}, {5, 7}, {9, 11, 13}}));
  EXPECT_EQ(rows, of_pieces);
}

TEST(PiecewiseClassifier, IsTheOneBelowInAllElse) {
  const auto pooled = make_classifier(pooling_config(), testing::kShape, 4);
  Config plain = pooling_config();
  plain.tokenizer.long_texts = LongTexts::cut;
  const auto whole = make_classifier(plain, testing::kShape, 4);
  EXPECT_EQ(parameter_count(*pooled), parameter_count(*whole));
  EXPECT_EQ(pooled->work_per_token(), whole->work_per_token());
  EXPECT_EQ(pooled->constant_count(), whole->constant_count());
  EXPECT_EQ(pooled->is_recordable(), whole->is_recordable());
  EXPECT_EQ(pooled->device(), whole->device());
  EXPECT_NE(&pooled->whole_text_classifier(), pooled.get());
  EXPECT_EQ(&whole->whole_text_classifier(), whole.get());
}

using PooledCheckpoint = testing::CheckpointFixture;

TEST_F(PooledCheckpoint, IsOneOfWholeTextsWhereItIsOpenedAsThat) {
  config_.tokenizer.max_tokens = 3;
  config_.tokenizer.long_texts = LongTexts::pool;
  model_ = make_classifier(config_, {10, 2, tokenizer_->mask_id(), tokenizer_->pad_id()}, 5);
  save(*model_);
  const LoadedModel pooled = load_model(folder());
  EXPECT_EQ(pooled.config.tokenizer.long_texts, LongTexts::pool);
  EXPECT_NE(&pooled.classifier->whole_text_classifier(), pooled.classifier.get());
  const LoadedModel whole = load_model(folder(), LongTexts::cut);
  EXPECT_EQ(whole.config.tokenizer.long_texts, LongTexts::cut);
  EXPECT_EQ(&whole.classifier->whole_text_classifier(), whole.classifier.get());
  const testing::Sequences texts = {{4, 5, 6}, {9, 1}};  // of one piece each
  EXPECT_TRUE(at::allclose(testing::evaluate(*whole.classifier, texts),
                           testing::evaluate(*pooled.classifier, texts), 1e-5, 1e-6));
}

TEST(PiecewiseClassifier, GradientsGoThroughTheMean) {
  const auto pooled = make_classifier(pooling_config(), testing::kShape, 4);
  const at::Tensor logits = pooled->forward(testing::batch_of(kPieceTexts), {});
  logits.select(1, 0).sum().backward();
  Config plain = pooling_config();
  plain.tokenizer.long_texts = LongTexts::cut;
  const auto whole = make_classifier(plain, testing::kShape, 4);
  const at::Tensor pieces = whole->forward(
      testing::batch_of({{4, 5}, {6, 7, 8}, {9, 10}, {1, 3}, {5, 7}, {9, 11, 13}}), {});
  const at::Tensor shares =
      at::tensor({1.0 / 2, 1.0 / 2, 1.0, 1.0 / 3, 1.0 / 3, 1.0 / 3}, at::kFloat);
  pieces.select(1, 0).mul(shares).sum().backward();
  for (std::size_t i = 0; i < pooled->parameters().size(); ++i) {
    const at::Tensor found = pooled->parameters()[i].tensor.grad();
    const at::Tensor expected = whole->parameters()[i].tensor.grad();
    ASSERT_EQ(found.defined(), expected.defined());
    EXPECT_TRUE(!found.defined() || at::allclose(found, expected, 1e-5, 1e-6)) << i;
  }
}

}  // namespace
}  // namespace diffuse
