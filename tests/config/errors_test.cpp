// Faults of a config as a whole: its syntax, several at once, and keys that cannot stand together.

#include <fmt/core.h>
#include <gmock/gmock.h>

#include "config/support.hpp"
#include "diffuse/config/model_rules.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ConfigErrors, AllFaultsOfAllSourcesComeAtOnceALineEach) {
  const std::string text = load_error(R"({
    "model": {"dim": -3, "colour": 1},
    "tokenizer": {"type": "wordpiece"},
    "train": {"batch_size": "many"}})",
                                      {{"train.threads", "-1"}, {"train.sed", "1"}});
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  EXPECT_THAT(lines, ::testing::ElementsAre(
                         StartsWith("c.json: model.dim: -3 is out of range"),
                         StartsWith("c.json: model.colour: unknown key"),
                         StartsWith("c.json: train.batch_size: \"many\" is a text"),
                         StartsWith("command line: train.threads: -1 is out of range"),
                         StartsWith("command line: train.sed: unknown key; did you mean "
                                    "\"train.seed\"?"),
                         StartsWith("c.json: tokenizer.vocab: empty, but tokenizer.type")));
}

TEST(ConfigErrors, SyntaxErrorsHaveLineAndColumn) {
  EXPECT_THAT(
      load_error("{\n  \"model\": {\"dim\" 3}\n}"),
      StartsWith("c.json:2:19: not valid JSON: syntax error while parsing object separator"));
  EXPECT_THAT(load_error(""), StartsWith("c.json:1:1: not valid JSON: syntax error"));
  EXPECT_THAT(load_error("{\"model\": {\"dim\": 3,}}"),
              HasSubstr("; a comma before a closing bracket is not allowed"));
  EXPECT_THAT(load_error("{\"model\": {\"dilation\": [3,]}}"),
              HasSubstr("; a comma before a closing bracket is not allowed"));
  EXPECT_THAT(load_error("{\"data\": {\"train\": \"\xff\"}}"), HasSubstr("not valid JSON: "));
  // The parser would take a NUL for the end.
  EXPECT_THAT(load_error(std::string("{}\n \0 x", 6)),
              StartsWith("c.json:2:2: not valid JSON: a NUL byte; expected text"));
  EXPECT_THAT(load_error("{\"model\": {\"alpha\": 1e999}}"),
              StartsWith("c.json:1:21: not valid JSON: number overflow"));
}

TEST(ConfigErrors, DeepNestingAndEndlessTextsAreMessages) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(load_error("{\"data\": " + deep + std::string(100'000, ']') + "}"),
            "c.json: lists or objects stand in one another more than 32 deep; expected a "
            "configuration");
  EXPECT_THAT(load_error(R"({"train": {"length": ")" + std::string(100'000, '1') + "e\"}}"),
              AllOf(StartsWith("c.json: train.length: \"111"),
                    HasSubstr("is not allowed; expected auto, epochs")));
}

TEST(ConfigErrors, AColumnIsANumberFromOneHoweverItIsWritten) {
  for (const std::string value : {"0", "-1"}) {
    EXPECT_THAT(load_error("{}", {{"data.label_column", value}}),
                StartsWith("command line: data.label_column: " + value + " is out of range"));
    EXPECT_THAT(load_error("{}", {{"data.text_columns", "2," + value}}),
                StartsWith("command line: data.text_columns: " + value + " is out of range"));
  }
  // What people do not write for a number is a name.
  EXPECT_EQ(default_config({{"data.label_column", "007"}}).data.label_column, "007");
}

TEST(ConfigErrors, AColumnServesOnce) {
  EXPECT_EQ(load_error(R"({"data": {"label_column": 1, "text_columns": [2, 1]}})"),
            "c.json: data.text_columns: holds the label column \"1\"; expected other columns");
  EXPECT_EQ(load_error(R"({"data": {"text_columns": ["a", "b", "a"]}})"),
            "c.json: data.text_columns: holds \"a\" twice; expected each column once");
  EXPECT_EQ(load_error(R"({"data": {"weight_column": "a", "text_columns": ["a"]}})"),
            "c.json: data.text_columns: holds the weight column \"a\"; expected other columns");
  EXPECT_EQ(load_error(R"({"data": {"weight_column": "a", "label_column": "a"}})"),
            "c.json: data.weight_column: is the label column \"a\"; expected another column");
}

TEST(ConfigErrors, SeveralLabelsATextExcludeWhatIsOfOne) {
  EXPECT_EQ(load_error(R"({"data": {"label_separator": "|", "soft_labels": "p"}})"),
            "c.json: data.soft_labels: is a distribution over classes of which a text has one, but "
            "with data.label_separator a text has any number; expected one of the two keys");
  EXPECT_EQ(
      load_error(R"({"data": {"label_separator": "|"},
                           "train": {"class_weights": "balanced"}})"),
      "c.json: train.class_weights: weighs texts by their class, but with "
      "data.label_separator a text has any number; expected none (the threshold of each label "
      "makes up for rare ones; data.weight_column weighs texts)");
  EXPECT_EQ(load_error(R"({"data": {"label_separator": "\n"}})"),
            "c.json: data.label_separator: holds a line break; expected what stands between labels "
            "on one line, such as \"|\"");
}

TEST(ConfigErrors, AKeyThatStandsTwiceIsAnError) {
  EXPECT_EQ(load_error(R"({"model": {"dim": 3, "steps": 1, "dim": 4}})"),
            "c.json: model.dim: this key stands twice; keep one of the two");
  EXPECT_EQ(load_error(R"({"train": {"seed": 3}, "model": {}, "train": {}})"),
            "c.json: train: this key stands twice; keep one of the two");
}

TEST(ConfigErrors, AModelWithoutAConfigObeysTheSameRules) {
  const auto error = [](const ModelConfig& model) {
    return config_error([&] { check_model(model); });
  };
  EXPECT_NO_THROW(check_model({}));
  ModelConfig model;
  model.dilation = {1, 2, 4};
  model.radius = 0;
  model.self_neighbour = false;
  EXPECT_EQ(
      error(model),
      "model.dilation: 3 entries for model.steps = 2; expected 1 to 2 (fewer than steps begin "
      "again when they end)\n"
      "model.radius: 0 with model.self_neighbour = false leaves no neighbour at all; expected "
      "a radius of at least 1, or model.self_neighbour = true");
  model = {};
  model.dilation = {};
  EXPECT_THAT(error(model), StartsWith("model.dilation: 0 entries"));
}

TEST(ConfigErrors, CombinationsThatCannotBe) {
  EXPECT_EQ(load_error(R"({"model": {"dilation": [1, 2, 4]}})"),
            "c.json: model.dilation: 3 entries for model.steps = 2; expected 1 to 2 (fewer than "
            "steps begin again when they end)");
  EXPECT_EQ(load_error(R"({"tokenizer": {"type": "wordpiece"}})"),
            "c.json: tokenizer.vocab: empty, but tokenizer.type = wordpiece needs a vocabulary; "
            "set it to BERT's vocab.txt, or choose tokenizer.type = words");
  EXPECT_EQ(load_error(R"({"data": {"test": "t.csv", "test_fraction": 0.1}})"),
            "c.json: data.test_fraction: 0.1 splits test rows off, but data.test names a file of "
            "them; set data.test_fraction to 0, or data.test to nothing");
  EXPECT_EQ(load_error(R"({"train": {"patience": 3}, "data": {"validation_fraction": 0}})"),
            "c.json: train.patience: 3 waits for a better validation, but there is none; set "
            "data.validation or data.validation_fraction, or train.patience to 0");
  EXPECT_EQ(load_error(R"({"model": {"radius": 0, "self_neighbour": false}})"),
            "c.json: model.radius: 0 with model.self_neighbour = false leaves no neighbour at "
            "all; expected a radius of at least 1, or model.self_neighbour = true");
  EXPECT_EQ(load_error(R"({"model": {"alpha": 0, "alpha_learned": true}})"),
            "c.json: model.alpha: 0 cannot be learned from; with model.alpha_learned = true it "
            "must be above 0 and below 1");
  EXPECT_EQ(load_error(R"({"model": {"dim": 0}})"),
            "c.json: model.dim: 0 leaves no model without n-grams; expected a width of at least 1, "
            "or ngrams.max of at least 1");
  EXPECT_EQ(
      load_error(R"({"model": {"dim": 0}, "ngrams": {"max": 1}, "train": {"pretrain": "2e"}})"),
      "c.json: train.pretrain: \"2e\": with model.dim = 0 there is no network to pretrain");
  EXPECT_EQ(load_error(R"({"model": {"type": "distilbert"}, "train": {"pretrain": "2e"}})"),
            "c.json: train.pretrain: \"2e\": only a diffusion model is pretrained, and "
            "model.type = distilbert");
  EXPECT_EQ(load_error(R"({"train": {"embedding_lr_factor": -0.5}})"),
            "c.json: train.embedding_lr_factor: -0.5 is none; expected -1, or a number of at least "
            "0");
  EXPECT_EQ(load_error(R"({"train": {"pretrain": "2h"}})"),
            "c.json: train.pretrain: \"2h\" is not allowed; expected epochs (\"11e\"), updates "
            "(\"20000u\"), minutes (\"10m\") or nothing (how long to learn from the texts alone "
            "before the labels)");
  EXPECT_EQ(load_error(R"({"ngrams": {"char_min": 4, "char_max": 3}})"),
            "c.json: ngrams.char_min: 4 is more than ngrams.char_max = 3; expected at most as "
            "much");
  EXPECT_EQ(load_error(R"({"tokenizer": {"special_tokens": true}})"),
            "c.json: tokenizer.special_tokens: tokenizer.type = words has no [CLS] and [SEP]; "
            "expected wordpiece");
  EXPECT_EQ(load_error(R"({"tokenizer": {"type": "wordpiece", "vocab": "v", "max_tokens": 2,
                           "special_tokens": true}})"),
            "c.json: tokenizer.max_tokens: 2 leaves no room beside [CLS] and [SEP]; expected at "
            "least 3");
  EXPECT_EQ(load_error(R"({"tokenizer": {"max_tokens": 0, "long_texts": "pool"}})"),
            "c.json: tokenizer.long_texts: pool needs the length of a piece, but "
            "tokenizer.max_tokens = 0 is none; expected at least 1, or tokenizer.long_texts = cut, "
            "which then cuts nothing");
  EXPECT_EQ(load_error(R"({"model": {"type": "torchscript"}})"),
            "c.json: model.file: empty, but model.type = torchscript needs the TorchScript file "
            "of a model");
  EXPECT_EQ(load_error(R"({"model": {"type": "distilbert"}, "distilbert": {"heads": 7}})"),
            "c.json: distilbert.heads: 7 heads cannot share distilbert.dim = 768; expected a "
            "divisor");
  EXPECT_EQ(load_error(R"({"model": {"type": "distilbert"}, "tokenizer": {"max_tokens": 600}})"),
            "c.json: tokenizer.max_tokens: 600 is more than the 512 positions of "
            "distilbert.max_positions; expected a limit from 1 to 512");
  EXPECT_EQ(load_error(R"({"model": {"type": "distilbert"}, "tokenizer": {"max_tokens": 0}})"),
            "c.json: tokenizer.max_tokens: no limit is more than the 512 positions of "
            "distilbert.max_positions; expected a limit from 1 to 512");
  EXPECT_EQ(load_error(R"({"model": {"type": "bert"}, "bert": {"max_positions": 128}})"),
            "c.json: tokenizer.max_tokens: 256 is more than the 128 positions of "
            "bert.max_positions; expected a limit from 1 to 128");
  for (const char* type : {"transformer", "linformer", "performer"}) {
    EXPECT_EQ(
        load_error(fmt::format(R"({{"model": {{"type": "{}"}}, "mixer": {{"heads": 7}}}})", type)),
        "c.json: mixer.heads: 7 heads cannot share model.dim = 64; expected a divisor");
  }
  EXPECT_EQ(load_error(R"({"model": {"type": "performer", "dim": 0}})"),
            "c.json: model.dim: 0 leaves no network, but model.type = performer needs one; "
            "expected a width of at least 1");
  EXPECT_EQ(load_error(R"({"model": {"type": "linformer"}, "mixer": {"max_positions": 99}})"),
            "c.json: tokenizer.max_tokens: 256 is more than the 99 positions of "
            "mixer.max_positions; expected a limit from 1 to 99");
  EXPECT_EQ(load_error(R"({"model": {"type": "mamba"}, "mixer": {"head_dim": 48}})"),
            "c.json: mixer.head_dim: 48 does not divide mixer.expand x model.dim = 128; expected "
            "a divisor");
  EXPECT_EQ(load_error(R"({"tokenizer": {"type": "values"}, "ngrams": {"max": 2}})"),
            "c.json: ngrams.max: 2, but tokenizer.type = values has numbers and no words; expected "
            "0, or another type");
  EXPECT_EQ(
      load_error(R"({"tokenizer": {"type": "values"}, "model": {"bigram_buckets": 8}})"),
      "c.json: model.bigram_buckets: 8, but tokenizer.type = values has numbers and no words; "
      "expected 0, or another type");
  EXPECT_EQ(load_error(R"({"tokenizer": {"type": "values"}, "model": {"type": "bert"}})"),
            "c.json: model.type: bert reads words, but tokenizer.type = values has numbers; "
            "expected diffusion, transformer, linformer, performer or mamba");
  EXPECT_EQ(load_error(R"({"tokenizer": {"type": "values"}, "train": {"pretrain": "2e"}})"),
            "c.json: train.pretrain: \"2e\": hidden words are predicted, but tokenizer.type = "
            "values has numbers; expected nothing");
  EXPECT_EQ(
      load_error(R"({"data": {"format": "pixels"}})"),
      "c.json: tokenizer.type: words reads text, but data.format = pixels has bytes; expected "
      "values or bytes");
  EXPECT_EQ(load_error(R"({"tokenizer": {"type": "bytes"}, "model": {"embedding_file": "g"}})"),
            "c.json: model.embedding_file: has vectors of words, but tokenizer.type = bytes has "
            "none; expected words or wordpiece");
}

TEST(ConfigErrors, CombinationsThatCan) {
  EXPECT_NO_THROW(load_text(R"({"model": {"dilation": [1, 2, 4], "steps": 3}})"));
  EXPECT_NO_THROW(load_text(R"({"model": {"dim": 0}, "ngrams": {"max": 1}})"));
  EXPECT_NO_THROW(load_text(R"({"model": {"dim": 0}, "ngrams": {"char_max": 5}})"));
  EXPECT_NO_THROW(load_text(R"({"ngrams": {"char_min": 4, "char_max": 0}})"));
  EXPECT_NO_THROW(load_text(R"({"model": {"steps": 0}})"));
  EXPECT_NO_THROW(load_text(R"({"model": {"radius": 0}})"));
  EXPECT_NO_THROW(load_text(R"({"model": {"weight": "full", "weight_learned": false}})"));
  EXPECT_NO_THROW(load_text(
      R"({"train": {"patience": 3}, "data": {"validation_fraction": 0, "validation": "v.csv"}})"));
  EXPECT_NO_THROW(load_text(R"({"train": {"warmup": "4e", "length": "10u"}})"));
}

TEST(ConfigErrors, TheSourceOfACombinationIsTheOneThatSetIt) {
  EXPECT_THAT(override_error("tokenizer.type", "wordpiece"),
              StartsWith("command line: tokenizer.vocab: empty"));
  EXPECT_THAT(load_error("{}", {{"model.steps", "1"}, {"model.dilation", "1,2"}}),
              StartsWith("command line: model.dilation: 2 entries"));
}

TEST(ConfigErrors, AFaultyValueCausesNoSecondErrorByItsDefault) {
  const std::string text = load_error(R"({"model": {"steps": -1, "dilation": [1, 2, 4]}})");
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

TEST(ConfigErrors, AMissingFileIsNamed) {
  const TempDir dir;
  const std::string path = dir.path() / "none.json";
  EXPECT_THAT(config_error([&] { load_config(path, {}); }), HasSubstr(path));
}

TEST(ConfigErrors, AStoredConfigIsNamedByItsSource) {
  EXPECT_THAT(config_error([] { parse_config(R"({"model": {"dim": -1}})", "run/config.json"); }),
              StartsWith("run/config.json: model.dim: -1 is out of range"));
}

}  // namespace
}  // namespace diffuse::testing
