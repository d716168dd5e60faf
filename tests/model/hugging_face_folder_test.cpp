// A Hugging Face folder: its config.json and model.safetensors, good and bad.

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/distilbert.hpp"
#include "diffuse/model/hugging_face_folder.hpp"
#include "diffuse/model/model_description.hpp"
#include "support/temp_dir.hpp"
#include "torchscript_support.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using testing::distilbert_folder;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::load_distilbert;
using testing::message_of;
using ::testing::Not;

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

std::unique_ptr<TorchScriptClassifier> small_model(std::int64_t seed = 1,
                                                   std::int64_t class_count = 3) {
  DistilBertShape shape = testing::small_shape();
  shape.class_count = class_count;
  return make_distilbert(shape, seed);
}

nlohmann::json fixture_config() {
  return nlohmann::json::parse(read_file(distilbert_folder() / "config.json"));
}

/// The message for a folder whose config.json has `key` set to `value`.
std::string config_message(const std::string& key, const nlohmann::json& value) {
  nlohmann::json config = fixture_config();
  config[key] = value;
  const testing::TempDir dir;
  dir.write("config.json", config.dump());
  return message_of<CheckpointError>([&] { read_bert_folder(dir.path(), ModelType::distilbert); });
}

TEST(DistilBertConfig, IsReadFromTheFolder) {
  const BertFolder found = read_bert_folder(distilbert_folder(), ModelType::distilbert);
  EXPECT_EQ(found.vocab_size, 40);
  EXPECT_EQ(found.pad_id, 0);
  EXPECT_EQ(found.sizes.dim, 16);
  EXPECT_EQ(found.sizes.layers, 2);
  EXPECT_EQ(found.sizes.heads, 2);
  EXPECT_EQ(found.sizes.hidden_dim, 32);
  EXPECT_EQ(found.sizes.max_positions, 24);
  EXPECT_EQ(found.sizes.dropout, 0.1);
  EXPECT_EQ(found.sizes.attention_dropout, 0.1);
  EXPECT_EQ(found.sizes.classifier_dropout, 0.2);
  EXPECT_EQ(found.sizes.init_std, 0.02);
}

TEST(DistilBertConfig, KeysLeftOutHaveTransformersDefaults) {
  const testing::TempDir dir;
  dir.write("config.json",
            R"({"model_type": "distilbert", "sinusoidal_pos_embds": true, "dropout": 0,
                "pad_token_id": 7, "seq_classif_dropout": 0.3})");
  const BertFolder found = read_bert_folder(dir.path(), ModelType::distilbert);
  EXPECT_EQ(found.vocab_size, 30522);
  EXPECT_EQ(found.sizes.dim, 768);
  EXPECT_EQ(found.sizes.layers, 6);
  EXPECT_EQ(found.sizes.heads, 12);
  EXPECT_EQ(found.sizes.hidden_dim, 3072);
  EXPECT_EQ(found.sizes.max_positions, 512);
  EXPECT_EQ(found.sizes.dropout, 0.0);
  EXPECT_EQ(found.sizes.classifier_dropout, 0.3);
  EXPECT_EQ(found.pad_id, 7);
}

TEST(BertConfig, HasKeysOfItsOwn) {
  const testing::TempDir dir;
  dir.write("config.json", R"({"model_type": "bert"})");
  BertFamilyConfig sizes = read_bert_folder(dir.path(), ModelType::bert).sizes;
  EXPECT_EQ(sizes.layers, 12);
  EXPECT_EQ(sizes.dim, 768);
  EXPECT_EQ(sizes.token_types, 2);
  EXPECT_EQ(sizes.classifier_dropout, 0.1);
  EXPECT_FALSE(sizes.mean_pooling);
  EXPECT_EQ(sizes.norm_eps, 1e-12);
  dir.write("config.json",
            R"({"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6,
                "num_attention_heads": 3, "intermediate_size": 1536, "type_vocab_size": 1,
                "max_position_embeddings": 99, "hidden_dropout_prob": 0.3,
                "attention_probs_dropout_prob": 0.4, "classifier_dropout": null,
                "layer_norm_eps": 1e-5})");
  std::filesystem::create_directory(dir.path() / "1_Pooling");
  dir.write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  sizes = read_bert_folder(dir.path(), ModelType::bert).sizes;
  EXPECT_EQ(sizes.dim, 384);
  EXPECT_EQ(sizes.layers, 6);
  EXPECT_EQ(sizes.heads, 3);
  EXPECT_EQ(sizes.hidden_dim, 1536);
  EXPECT_EQ(sizes.max_positions, 99);
  EXPECT_EQ(sizes.token_types, 1);
  EXPECT_EQ(sizes.dropout, 0.3);
  EXPECT_EQ(sizes.attention_dropout, 0.4);
  EXPECT_EQ(sizes.classifier_dropout, 0.3) << "the hidden layers', without one of its own";
  EXPECT_TRUE(sizes.mean_pooling);
  EXPECT_EQ(sizes.norm_eps, 1e-5);
}

TEST(BertConfig, TheOneThatIsFetchedSaysByWhat) {
  EXPECT_THAT(
      message_of<CheckpointError>([] { read_bert_folder("/none/minilm", ModelType::bert); }),
      HasSubstr("`scripts/get_data.sh minilm /none/minilm` fetches one."));
}

TEST(BertConfig, WhatWouldComputeSomethingElseIsRefused) {
  const auto message = [](const std::string& more) {
    const testing::TempDir dir;
    dir.write("config.json", R"({"model_type": "bert", )" + more + "}");
    return message_of<CheckpointError>([&] { read_bert_folder(dir.path(), ModelType::bert); });
  };
  EXPECT_THAT(message(R"("hidden_act": "relu")"),
              AllOf(HasSubstr("does not describe a BERT"),
                    HasSubstr("hidden_act is \"relu\"; expected \"gelu\"")));
  EXPECT_THAT(message(R"("position_embedding_type": "relative_key")"),
              HasSubstr("position_embedding_type is \"relative_key\"; expected \"absolute\""));
  for (const auto& [written, shown] : {std::pair("0", "0"), {"-1e-5", "-1e-05"}, {"12", "12"}})
    EXPECT_THAT(
        message(std::string("\"layer_norm_eps\": ") + written),
        HasSubstr(std::string("layer_norm_eps is ") + shown + "; expected above 0 and at most 1."));
  EXPECT_THAT(message(R"("num_attention_heads": 5)"),
              HasSubstr("hidden_size is 768 and num_attention_heads 5, which does not divide it."));
}

TEST(DistilBertConfig, SaysWhatIsWrong) {
  EXPECT_THAT(config_message("model_type", "bert"),
              AllOf(HasSubstr("config.json' does not describe a DistilBERT"),
                    HasSubstr("model_type is \"bert\"; expected \"distilbert\".")));
  EXPECT_THAT(config_message("activation", "relu"),
              HasSubstr("activation is \"relu\"; expected \"gelu\"."));
  EXPECT_THAT(config_message("n_layers", 0), HasSubstr("n_layers is 0; expected 1 to 10000000."));
  EXPECT_THAT(config_message("dim", "wide"), HasSubstr("\"dim\" is \"wide\"; expected a whole"));
  EXPECT_THAT(config_message("n_heads", 3),
              HasSubstr("dim is 16 and n_heads 3, which does not divide it."));
  EXPECT_THAT(config_message("dropout", 1.5), HasSubstr("dropout is 1.5; expected 0 to less"));
  EXPECT_THAT(config_message("pad_token_id", 40), HasSubstr("pad_token_id is 40; expected less"));
  EXPECT_THAT(config_message("initializer_range", -1), HasSubstr("initializer_range is negative"));
  EXPECT_THAT(config_message("layer_norm_eps", 1e-5),
              HasSubstr("layer_norm_eps is 1e-05; expected 1e-12, which every DistilBERT"));

  const testing::TempDir dir;
  EXPECT_THAT(
      message_of<CheckpointError>([&] { read_bert_folder(dir.path(), ModelType::distilbert); }),
      HasSubstr("has no config.json. Give a Hugging Face folder"));
  dir.write("config.json", "{");
  EXPECT_THAT(
      message_of<CheckpointError>([&] { read_bert_folder(dir.path(), ModelType::distilbert); }),
      HasSubstr("config.json: not valid JSON at column"));
  dir.write("config.json", "[1]");
  EXPECT_THAT(
      message_of<CheckpointError>([&] { read_bert_folder(dir.path(), ModelType::distilbert); }),
      HasSubstr("expected a JSON object"));
  dir.write("config.json", "{}");
  EXPECT_THAT(
      message_of<CheckpointError>([&] { read_bert_folder(dir.path(), ModelType::distilbert); }),
      HasSubstr("\"model_type\" is missing"));
}

TEST(DistilBertConfig, AskingForFarMoreThanTheWeightsHoldIsRefusedBeforeMemoryIsTaken) {
  const testing::TempDir dir;
  nlohmann::json config = fixture_config();
  config["vocab_size"] = 9'000'000;
  dir.write("config.json", config.dump());
  std::filesystem::copy(distilbert_folder() / "model.safetensors", dir.path());
  EXPECT_THAT(
      message_of<CheckpointError>([&] { read_bert_folder(dir.path(), ModelType::distilbert); }),
      HasSubstr("It asks for about 1.44e+08 parameters, model.safetensors has 27,644 "
                "bytes."));
}

TEST(DistilBertConfig, IsNotBelievedWithoutWeights) {
  const testing::TempDir dir;
  dir.write("config.json", R"({"model_type": "distilbert", "vocab_size": 9000000})");
  Config config;
  config.model.type = ModelType::distilbert;
  config.distilbert.pretrained = dir.path().string();
  EXPECT_THAT(message_of<CheckpointError>([&] { take_pretrained_sizes(config); }),
              HasSubstr("has no model.safetensors. Give a Hugging Face folder"));
}

TEST(Pretrained, AllTensorsAreLoaded) {
  const auto model = small_model();
  const PretrainedReport report = load_distilbert(*model);
  EXPECT_EQ(report.loaded, 40);
  EXPECT_THAT(report.missing, IsEmpty());
  EXPECT_THAT(report.unexpected, IsEmpty());
}

TEST(Pretrained, ABaseModelsNamesFitAndTheHeadStaysFresh) {
  const auto source = small_model(1);
  load_distilbert(*source);
  Tensors tensors = {{"vocab_projector.bias", at::zeros({40})}};
  for (const NamedParameter& p : source->parameters()) {
    if (p.name.starts_with("distilbert.")) tensors.emplace_back(p.name.substr(11), p.tensor);
  }
  const testing::TempDir dir;
  save_tensors(dir.path() / "model.safetensors", tensors);

  const auto model = small_model(2, /*class_count=*/5);
  const at::Tensor head = testing::parameter(*model, "classifier.weight").detach().clone();
  const PretrainedReport report = load_distilbert(*model, dir.path());
  EXPECT_EQ(report.loaded, 36);
  EXPECT_THAT(report.missing, ElementsAre("pre_classifier.weight", "pre_classifier.bias",
                                          "classifier.weight", "classifier.bias"));
  EXPECT_THAT(report.unexpected, ElementsAre("vocab_projector.bias"));
  EXPECT_TRUE(testing::parameter(*model, "classifier.weight").equal(head));
  for (const char* name : {"distilbert.embeddings.LayerNorm.weight",
                           "distilbert.transformer.layer.1.attention.k_lin.weight"}) {
    EXPECT_TRUE(testing::parameter(*model, name).equal(testing::parameter(*source, name)));
  }
}

TEST(Pretrained, ListsEveryTensorThatDoesNotFitAndCopiesNothing) {
  const std::string norm = "distilbert.transformer.layer.0.sa_layer_norm.weight";
  Tensors tensors;
  for (const NamedParameter& p : small_model(1)->parameters()) {
    if (p.name == "classifier.weight")
      tensors.emplace_back(p.name, at::zeros({2, 16}));
    else if (p.name == "pre_classifier.bias")
      tensors.emplace_back(p.name, p.tensor.to(at::kHalf));
    else if (p.name != norm)
      tensors.emplace_back(p.name, p.tensor);
  }
  const testing::TempDir dir;
  save_tensors(dir.path() / "model.safetensors", tensors);

  const auto model = small_model(2);
  const auto fresh = small_model(2);
  EXPECT_THAT(message_of<CheckpointError>([&] { load_distilbert(*model, dir.path()); }),
              AllOf(HasSubstr("model.safetensors' does not fit the model:"),
                    HasSubstr("classifier.weight: F32 [2, 16], expected F32 [3, 16]"),
                    HasSubstr("pre_classifier.bias: F16 [16], expected F32 [16]"),
                    HasSubstr(norm + ": missing, expected F32 [16]")));
  for (const NamedParameter& p : model->parameters()) {
    EXPECT_TRUE(p.tensor.equal(testing::parameter(*fresh, p.name))) << p.name;
  }
}

TEST(Pretrained, SaysWhatFolderItNeeds) {
  const testing::TempDir dir;
  const auto model = small_model();
  const auto message = [&] {
    return message_of<CheckpointError>([&] { load_distilbert(*model, dir.path()); });
  };
  EXPECT_THAT(message(), HasSubstr("has no model.safetensors. Give a Hugging Face folder"));
  dir.write("pytorch_model.bin", "x");
  EXPECT_THAT(message(), HasSubstr("pytorch_model.bin is a Python pickle, which is not read"));
  dir.write("model.safetensors.index.json", "{}");
  EXPECT_THAT(message(), HasSubstr("Its weights are in several files"));
  dir.write("model.safetensors", "not a safetensors file");
  EXPECT_THAT(message(), HasSubstr("model.safetensors"));
}

}  // namespace
}  // namespace diffuse
