#include "diffuse/model/masked_word_model.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "diffuse/base/error.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

using testing::batch_of;
using testing::kShape;
using testing::Sequences;
using testing::small_config;

const Sequences kMaskedTexts = {{3, 4, 4, 9}, {3}, {5, 19, 5, 7, 11, 13}, {8, 12}, {4, 4, 4, 4, 4}};

std::vector<std::int64_t> word_counts() {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(kShape.vocab_size), 2);
  for (const auto& text : kMaskedTexts)
    for (const std::int32_t word : text) ++counts[static_cast<std::size_t>(word)];
  counts[0] = counts[1] = counts[2] = 0;
  counts[19] = 1'000'000;  // beside which the others are not common
  return counts;
}

PretrainConfig pretraining(double masked, std::int64_t negatives) {
  PretrainConfig config;
  config.masked = masked;
  config.negatives = negatives;
  return config;
}

struct Pass {
  PassFigures figures;
  std::vector<std::pair<std::string, at::Tensor>> gradients{};
};

Pass pass_by(Kernel kernel, const ModelConfig& config, const PretrainConfig& pretrain) {
  MaskedWordModel model(config, pretrain, kShape, word_counts(), 3);
  model.use_kernel(kernel, Precision::fp32);
  EXPECT_EQ(model.kernel(), kernel);
  const Batch batch = batch_of(kMaskedTexts);
  const ForwardContext context{.training = true,
                               .generator = at::detail::createCPUGenerator(1),
                               .place = {.seed = 4, .update = 2}};
  Pass pass{*model.train_pass(batch, context, {.weight = 0.5})};
  if (pass.figures.device_loss.defined()) {
    pass.figures.loss = pass.figures.device_loss.item<double>();
    pass.figures.correct = pass.figures.device_correct.item<std::int64_t>();
  }
  std::vector<at::Tensor> tables;
  if (model.is_fused()) tables = testing::embedding_gradients(model);
  for (const NamedParameter& parameter : model.parameters())
    pass.gradients.emplace_back(parameter.name,
                                model.is_fused() && parameter.role == ParameterRole::embedding
                                    ? tables.at(0)
                                    : parameter.tensor.grad());
  return pass;
}

void expect_equal(const Pass& found, const Pass& expected) {
  EXPECT_NEAR(found.figures.loss, expected.figures.loss, 1e-5);
  EXPECT_EQ(found.figures.correct, expected.figures.correct);
  ASSERT_EQ(found.gradients.size(), expected.gradients.size());
  for (std::size_t i = 0; i < found.gradients.size(); ++i) {
    const at::Tensor& value = expected.gradients[i].second;
    const double largest = std::max(value.abs().max().item<double>(), 1e-4);
    EXPECT_LT(at::sub(found.gradients[i].second, value).abs().max().item<double>(), 3e-5 * largest)
        << found.gradients[i].first;
  }
}

TEST(MaskedWordModel, EveryKernelsPassIsThatOfTheTensorOperations) {
  ModelConfig glu = small_config();
  glu.function = FunctionKind::glu;
  glu.radius = 2;
  ModelConfig shared = small_config();
  shared.share_weights = true;
  shared.base = BaseState::initial;
  shared.steps = 3;
  ModelConfig none = small_config();
  none.steps = 0;
  for (const ModelConfig& config : {small_config(), glu, shared, none}) {
    const Pass expected = pass_by(Kernel::reference, config, pretraining(0.5, 3));
    EXPECT_GT(expected.figures.loss, 0);
    for (const Kernel kernel : {Kernel::fused, Kernel::operations})
      expect_equal(pass_by(kernel, config, pretraining(0.5, 3)), expected);
  }
}

TEST(MaskedWordModel, LossIsThatOfASoftmaxOverAllWordsWhereAllAreCandidates) {
  ModelConfig config = small_config();
  config.steps = 0;  // the state of a row is the embedding of the word that is shown
  const PretrainConfig pretrain = pretraining(0.6, 400'000);
  MaskedWordModel model(config, pretrain, kShape, word_counts(), 3);
  model.use_kernel(Kernel::fused, Precision::fp32);
  const Batch batch = batch_of(kMaskedTexts);
  const RandomPlace place{.seed = 4, .update = 2};
  const auto figures = model.train_pass(batch, {.training = true, .place = place}, {.weight = 1});

  MaskedWords hidden;
  WordMasker(word_counts(), kShape.mask_id, pretrain)
      .hide(batch.host->tokens(), batch.host_offsets, place, hidden);
  ASSERT_EQ(hidden.candidates.size(), 17U);
  const at::Tensor table = testing::parameter(model, "embedding.weight").detach();
  const at::Tensor weight = testing::parameter(model, "prediction.weight").detach();
  const at::Tensor bias = testing::parameter(model, "prediction.bias").detach();
  double total = 0;
  for (const std::int64_t count : word_counts()) total += static_cast<double>(count);
  // Word 19 is common: as often hidden as makes half of all words, but for the pretrain.masked of
  // them all. The others are not.
  const auto hidden_share = [&](std::size_t word) {
    const double share = static_cast<double>(word_counts()[word]) / total;
    const double others = 1 - static_cast<double>(word_counts()[19]) / total;
    return word == 19 ? 0.5 - others : share;
  };
  double loss = 0;
  for (std::size_t m = 0; m < hidden.places.size(); ++m) {
    const auto place_in_batch = static_cast<std::size_t>(hidden.places[m]);
    const at::Tensor state = table[hidden.tokens[place_in_batch]];
    const at::Tensor wanted = at::gelu(at::add(at::matmul(weight, state), bias));
    double sum = 0;
    double own = 0;
    for (std::int64_t word = 3; word < kShape.vocab_size; ++word) {
      const double e = hidden_share(static_cast<std::size_t>(word)) *
                       std::exp(at::matmul(table[word], wanted).item<double>());
      sum += e;
      if (word == batch.host->tokens()[place_in_batch]) own = e;
    }
    loss -= std::log(own / sum);
  }
  loss /= static_cast<double>(hidden.places.size());
  EXPECT_NEAR(figures->loss / static_cast<double>(batch.size()), loss, 1e-4);
}

TEST(MaskedWordModel, HasNothingToLearnWhereNoWordIsHidden) {
  for (const Kernel kernel : {Kernel::fused, Kernel::operations, Kernel::reference}) {
    MaskedWordModel model(small_config(), pretraining(0.5, 3), kShape, word_counts(), 3);
    model.use_kernel(kernel, Precision::fp32);
    const Batch unknown = batch_of({{1, 1}, {0}});
    const ForwardContext context{.training = true, .generator = at::detail::createCPUGenerator(1)};
    const auto figures = model.train_pass(unknown, context, {.weight = 0.5});
    EXPECT_EQ(figures->loss, 0);
    EXPECT_EQ(figures->correct, 0);
    if (model.is_fused()) {
      EXPECT_TRUE(model.row_gradients().at(0).ids.empty());
    }
    for (const NamedParameter& parameter : model.parameters()) {
      if (model.is_fused() && parameter.role == ParameterRole::embedding) continue;
      EXPECT_EQ(parameter.tensor.grad().abs().max().item<double>(), 0) << parameter.name;
    }
  }
}

TEST(MaskedWordModel, HasTheNamesOfAClassifierAndNoClasses) {
  ModelConfig config = small_config();
  config.bigram_buckets = 32;
  MaskedWordModel model(config, pretraining(0.3, 3), kShape, word_counts(), 3);
  const DiffusionClassifier classifier(config, kShape, 3);
  std::vector<std::string> own;
  for (const NamedParameter& parameter : model.parameters()) {
    if (parameter.name.starts_with("prediction.")) continue;
    EXPECT_EQ(testing::parameter(classifier, parameter.name).sizes(), parameter.tensor.sizes());
    own.push_back(parameter.name);
  }
  EXPECT_EQ(own.front(), "embedding.weight");
  EXPECT_EQ(testing::parameter(model, "embedding.bigrams").defined(), false);
  EXPECT_THROW(model.forward(batch_of(kMaskedTexts), {}), Error);
}

}  // namespace
}  // namespace diffuse
