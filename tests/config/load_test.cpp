#include <nlohmann/json.hpp>

#include "config/support.hpp"
#include "diffuse/base/log.hpp"

namespace diffuse::testing {
namespace {

using nlohmann::json;

/// A value other than the default for the JSON `value` of key `key`.
json changed(const std::string& key, const json& value) {
  static const std::map<std::string, json> special = {
      {"data.format", "tsv"},
      {"data.header", "no"},
      {"data.on_error", "skip"},
      {"data.text_columns", {"title", "2"}},
      {"tokenizer.type", "wordpiece"},
      {"tokenizer.long_texts", "pool"},
      {"model.type", "torchscript"},
      {"model.file", "/a/m.pt"},
      {"distilbert.pretrained", "/a/d"},
      {"bert.pretrained", "/a/b"},
      {"mixer.feature_map", "softmax"},
      {"model.weight", "full"},
      {"model.function", "glu"},
      {"model.activation", "tanh"},
      {"model.norm", "post"},
      {"model.base", "initial"},
      {"model.pooling", "max"},
      {"model.dilation", {1, 4, 16}},
      {"train.schedule", "linear"},
      {"train.length", "2.5e"},
      {"train.warmup", "7u"},
      {"train.evaluate_every", "11u"},
      {"train.device", "cuda:3"},
      {"data.train", "/a/train.csv"},
      {"train.metric", "loss"},
      {"train.precision", "bf16"},
      {"train.checkpoint_every", "5m"},
      {"data.validation", "/a/v"},
      {"data.test", "/a/t"},
      {"data.labels", "/a/l"},
      {"data.cache_dir", "/a/c"},
      {"tokenizer.vocab", "/a/vo"},
      {"data.label_column", "kind"},
      {"data.separator", "|"},
      {"data.quote", "none"},
      {"data.weight_column", "w"},
      {"data.soft_labels", "p"},
      {"model.embedding_file", "/a/e"},
      {"train.class_weights", {{"a b", 2.5}, {"0", 0}}},
      {"train.kernel", "reference"},
      {"train.embedding_update", "dense"},
      {"ngrams.weighting", "binary"},
      {"ngrams.char_max", 5},
      {"data.label_separator", "|"},
      {"train.init", "/a/init"},
      {"train.pretrain", "11e"},
      {"train.embedding_lr_factor", 0.5},
      {"pretrain.texts", {"/a/t1", "/a/t2"}}};
  if (const auto found = special.find(key); found != special.end()) return found->second;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number_float()) return value.get<double>() * 0.5 + 0.125;
  return value.get<std::int64_t>() + 1;  // throws where a text has no entry above
}

TEST(LoadConfig, EmptyObjectIsTheDefaults) {
  EXPECT_EQ(config_json(load_text("{}")), config_json(Config{}));
  EXPECT_EQ(config_json(default_config({})), config_json(Config{}));
}

TEST(LoadConfig, EveryKeyIsReadFromAFileAndWrittenBack) {
  json wanted = json::parse(config_json(Config{}));
  for (auto& [section, object] : wanted.items()) {
    for (auto& [name, value] : object.items()) {
      if (name == "test_fraction") continue;  // it does not stand beside data.test
      const json before = value;
      value = changed(section + "." + name, before);
      ASSERT_NE(value, before) << section << "." << name;
    }
  }
  // Another model than a diffusion one is not pretrained.
  wanted["train"]["pretrain"] = "";
  EXPECT_EQ(load_text(R"({"train": {"pretrain": "11e"}})").train.pretrain, "11e");
  wanted["data"]["label_separator"] = "";  // beside which some others cannot stand
  EXPECT_EQ(load_text(R"({"data": {"label_separator": "; "}})").data.label_separator, "; ");
  const Config config = load_text(wanted.dump());
  EXPECT_EQ(json::parse(config_json(config)), wanted);
  EXPECT_EQ(config_json(parse_config(config_json(config), "stored")), config_json(config));
  // The members themselves, not only a writer that mirrors the reader.
  EXPECT_EQ(config.model.dim, 65);
  EXPECT_EQ(config.model.weight, WeightKind::full);
  EXPECT_EQ(config.model.dilation, (std::vector<std::int64_t>{1, 4, 16}));
  EXPECT_EQ(config.data.text_columns, (std::vector<std::string>{"title", "2"}));
  EXPECT_EQ(config.train.device, "cuda:3");
  EXPECT_FALSE(config.data.cache);
  EXPECT_EQ(load_text(R"({"data": {"test_fraction": 0.25}})").data.test_fraction, 0.25);
}

TEST(LoadConfig, DoublesSurviveTheRoundTripBitForBit) {
  Config config;
  config.train.learning_rate = 0.1 + 0.2;
  config.train.epsilon = 1.0 / 3e9;
  const Config back = parse_config(config_json(config), "stored");
  EXPECT_EQ(back.train.learning_rate, config.train.learning_rate);
  EXPECT_EQ(back.train.epsilon, config.train.epsilon);
}

TEST(LoadConfig, CommentsAndTheSchemaKeyAreAllowed) {
  const Config config = load_text(R"(// first
{
  "$schema": "schema.json",
  "model": {/* inside */ "dim": 32} // last
})");
  EXPECT_EQ(config.model.dim, 32);
}

TEST(LoadConfig, CommandLineWinsOverTheFileAndTheLastOneWins) {
  const Config config =
      load_text(R"({"model": {"dim": 32, "steps": 3}})", {{"model.dim", "16"}, {"model.dim", "8"}});
  EXPECT_EQ(config.model.dim, 8);
  EXPECT_EQ(config.model.steps, 3);
}

TEST(LoadConfig, WholeNumbersMayBeWrittenWithAnExponent) {
  EXPECT_EQ(load_text(R"({"data": {"max_rows": 1e5}})").data.max_rows, 100000);
}

TEST(LoadConfig, ASingleEntryStandsForAListOfOne) {
  const Config config =
      load_text(R"({"model": {"dilation": 2}, "data": {"text_columns": 3, "label_column": 1}})");
  EXPECT_EQ(config.model.dilation, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(config.data.text_columns, (std::vector<std::string>{"3"}));
  EXPECT_EQ(config.data.label_column, "1");
}

TEST(LoadConfig, OddSettingsAreWarnedAboutOnce) {
  const TempDir dir;
  const std::filesystem::path file = dir.write("c.json", R"({
    "data": {"train": "a", "test": "a", "validation": "a", "label_base": 1,
             "validation_fraction": 0.1, "cache": false, "cache_dir": "c"},
    "tokenizer": {"vocab": "v", "type": "bytes", "min_count": 3},
    "model": {"hidden_dim": 8, "embedding_file_std": 0.5,
              "embedding_words": 7, "noise_at_evaluation": true, "weight_learned": false,
              "weight_init_std": 0.2, "bigram_dropout": 0.1},
    "train": {"length": "3e", "warmup": "4e", "soft_label_weight": 0.25},
    "pretrain": {"texts": ["t.txt"]}})");
  const std::filesystem::path log_file = dir.path() / "log";
  log::open_file(log_file);
  const Config config = load_config(file, {});
  parse_config(config_json(config), "stored");  // the run has been warned when it was made
  log::close_file();
  std::ifstream stream(log_file);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const std::string where = file.string() + ": ";
  for (const std::string line :
       {"model.hidden_dim: has no effect, because model.function = linear has no hidden layer",
        "model.bigram_dropout: has no effect, because model.bigram_buckets is 0",
        "model.noise_at_evaluation: has no effect, because model.noise_std is 0",
        "tokenizer.vocab: has no effect, because tokenizer.type = bytes does not read one",
        "tokenizer.min_count: has no effect, because tokenizer.type = bytes does not count words",
        "model.weight_init_std: has no effect, because model.weight_learned is false",
        "data.validation_fraction: has no effect, because data.validation names a file",
        "model.embedding_file_std: has no effect without model.embedding_file",
        "model.embedding_words: has no effect without model.embedding_file",
        "train.soft_label_weight: has no effect without data.soft_labels",
        "pretrain.texts: has no effect without train.pretrain",
        "data.cache_dir: has no effect, because data.cache is false",
        "data.label_base: has no effect without data.labels: the classes are then the labels as "
        "they stand",
        "train.warmup: \"4e\" is longer than train.length = \"3e\": the learning rate will not "
        "reach its full height",
        "data.test: is the training file itself: its accuracy will say nothing about new texts",
        "data.validation: is the test file: the best checkpoint is then chosen on it, and its "
        "accuracy flatters"}) {
    const std::size_t first = text.find(where + line);
    ASSERT_NE(first, std::string::npos) << line << "\nin\n" << text;
    EXPECT_EQ(text.find(line, first + where.size() + 1), std::string::npos) << line;
  }
}

TEST(LoadConfig, WhatOtherModelsDoNotHaveIsWarnedAbout) {
  const TempDir dir;
  log::open_file(dir.path() / "log");
  load_text(R"({"model": {"type": "distilbert", "bigram_buckets": 1000},
                "bert": {"layers": 3}, "mixer": {"heads": 2},
                "train": {"adversarial": 0.05}})");
  log::close_file();
  std::ifstream stream(dir.path() / "log");
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  for (const char* key :
       {"model.bigram_buckets", "train.adversarial", "bert.layers", "mixer.heads"}) {
    const std::string line = std::string(key) + ": has no effect, because model.type = distilbert";
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
}

}  // namespace
}  // namespace diffuse::testing
