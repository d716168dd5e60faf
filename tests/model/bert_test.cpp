// BERT against transformers' own class (scripts/reference/bert.py).

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/model/hugging_face_folder.hpp"
#include "diffuse/model/model_description.hpp"
#include "model/bert/bert_classifier.hpp"
#include "model/tensor_file.hpp"
#include "support.hpp"
#include "support/message_of.hpp"
#include "support/on_device.hpp"
#include "support/test_data.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::filesystem::path bert_folder() { return testing::test_data() / "fixtures" / "bert"; }

/// The fixture's model with its weights.
Config bert_config(bool mean_pooling) {
  Config config;
  config.model.type = ModelType::bert;
  config.bert.pretrained = bert_folder().string();
  take_pretrained_sizes(config);
  config.bert.mean_pooling = mean_pooling;
  return config;
}

std::unique_ptr<Classifier> bert_model(const Config& config) {
  auto model = make_classifier(config, {40, 3, 0, 0}, 1);
  load_pretrained(*model, bert_folder(), "bert.");
  return model;
}

/// A device, and what the reference calls the form of the model that it is asked for.
class BertOn : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(BertOn, LogitsLossAndEveryGradientAreTransformers) {
  const auto [name, form] = GetParam();
  at::Device device = at::kCPU;
  try {
    device = resolve_device(name);
  } catch (const SystemError& error) {
    GTEST_SKIP() << error.what();
  }
  const double tolerance = device.is_cpu() ? 1e-5 : 1e-4;
  const SafetensorsFile file = SafetensorsFile::read(bert_folder() / "reference.safetensors");
  const auto expected = [&](const std::string& tensor) {
    const TensorView& view = file.tensors().at((form == "pooler" ? "" : form + ".") + tensor);
    at::Tensor read = at::empty(view.shape, at::kFloat);
    copy_into(read, view);
    return read;
  };
  const Batch batch = testing::batch_on(testing::batch_in(file), device);
  const bool mean = form == "mean";
  Config config = bert_config(mean);
  if (form == "eps") config.bert.norm_eps = 0.1;
  const auto model = bert_model(config);
  model->to(device);
  const at::Tensor logits = model->forward(batch, {});
  EXPECT_TRUE(logits.cpu().allclose(expected("output.logits"), tolerance, tolerance));
  const at::Tensor loss = at::cross_entropy_loss(logits, batch.labels);
  EXPECT_NEAR(loss.item<double>(), expected("output.loss").item<double>(), tolerance);
  loss.backward();
  ASSERT_EQ(model->parameters().size(), mean ? 39U : 41U) << "the pooler's two";
  for (const NamedParameter& p : model->parameters()) {
    ASSERT_TRUE(p.tensor.grad().defined()) << p.name;
    const at::Tensor wanted = expected("gradient." + p.name);
    const at::Tensor found = p.tensor.grad().cpu();
    EXPECT_TRUE(found.allclose(wanted, tolerance, tolerance))
        << p.name << ": largest difference " << found.sub(wanted).abs().max().item<double>();
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, BertOn,
                         ::testing::Combine(::testing::Values("cpu", "cuda"),
                                            ::testing::Values("pooler", "mean", "eps")),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param);
                         });

TEST(Bert, LoadsAFolderAndSaysWhatOfItIsNotUsed) {
  const auto whole = make_classifier(bert_config(false), {40, 3, 0, 0}, 1);
  const PretrainedReport all = load_pretrained(*whole, bert_folder(), "bert.");
  EXPECT_EQ(all.loaded, 41);
  EXPECT_THAT(all.missing, ElementsAre());
  const auto mean = make_classifier(bert_config(true), {40, 3, 0, 0}, 1);
  EXPECT_THAT(load_pretrained(*mean, bert_folder(), "bert.").unexpected,
              ElementsAre("bert.pooler.dense.bias", "bert.pooler.dense.weight"));
}

TEST(Bert, EachDropoutIsLiveAloneAndInTrainingOnly) {
  const SafetensorsFile file = SafetensorsFile::read(bert_folder() / "reference.safetensors");
  const Batch batch = testing::batch_in(file);
  Config config = bert_config(false);
  BertFamilyConfig& sizes = config.bert;
  for (double BertFamilyConfig::*dropout :
       {&BertFamilyConfig::dropout, &BertFamilyConfig::attention_dropout,
        &BertFamilyConfig::classifier_dropout}) {
    sizes.dropout = sizes.attention_dropout = sizes.classifier_dropout = 0;
    const at::Tensor plain = bert_model(config)->forward(batch, {});
    EXPECT_TRUE(bert_model(config)
                    ->forward(batch, testing::training_context(1))
                    .allclose(plain, 1e-5, 1e-5));
    sizes.*dropout = 0.5;
    const auto model = bert_model(config);
    const at::Tensor dropped = model->forward(batch, testing::training_context(1));
    EXPECT_FALSE(dropped.allclose(plain, 1e-3, 1e-3));
    EXPECT_TRUE(model->forward(batch, testing::training_context(1)).equal(dropped));
    EXPECT_TRUE(model->forward(batch, {}).allclose(plain, 1e-5, 1e-5));
  }
}

TEST(Bert, ATextLongerThanItsPositionsIsRefused) {
  const auto model = bert_model(bert_config(false));
  EXPECT_THAT(testing::message_of<UserError>(
                  [&] { testing::evaluate(*model, {std::vector<std::int32_t>(25, 1)}); }),
              HasSubstr("A text has 25 tokens, the model takes 24 at most"));
}

TEST(Bert, HasThePublishedSize) {
  Config config;
  config.model.type = ModelType::bert;
  // bert-base-uncased: 109,482,240 with the pooler; and a classifier of two.
  EXPECT_EQ(count_parameters(config, {30522, 2, 0, 0}), 109'482'240 + 2 * 768 + 2);
  EXPECT_EQ(description_of(config).longest_text(config), 512);
}

}  // namespace
}  // namespace diffuse
