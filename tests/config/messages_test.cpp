#include <gmock/gmock.h>

#include "config/support.hpp"
#include "diffuse/config/model_rules.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A file's content with one value.
std::string with(const std::string& section, const std::string& name, const std::string& value) {
  return "{\"" + section + "\": {\"" + name + "\": " + value + "}}";
}

struct Case {
  std::string section;
  std::string name;
  std::string value;
  std::string message;  // behind "c.json: section.name: "
};

class ConfigMessage : public ::testing::TestWithParam<Case> {};

TEST_P(ConfigMessage, NamesKeyValueAndWhatIsAllowed) {
  const Case& c = GetParam();
  EXPECT_EQ(load_error(with(c.section, c.name, c.value)),
            "c.json: " + c.section + "." + c.name + ": " + c.message);
}

INSTANTIATE_TEST_SUITE_P(
    Values, ConfigMessage,
    ::testing::Values(
        Case{"model", "dim", "-3",
             "-3 is out of range; expected a whole number from 0 to 8192 (width of a token's "
             "state)"},
        Case{"model", "dim", "8193",
             "8193 is out of range; expected a whole number from 0 to 8192 (width of a token's "
             "state)"},
        Case{"model", "dim", "18446744073709551615",
             "18446744073709551615 is out of range; expected a whole number from 0 to 8192 (width "
             "of a token's state)"},
        Case{"model", "dim", "1e300",
             "1e+300 is out of range; expected a whole number from 0 to 8192 (width of a token's "
             "state)"},
        Case{"model", "dim", "2.5",
             "2.5 is not a whole number; expected a whole number from 0 to 8192 (width of a "
             "token's state)"},
        Case{"model", "dim", "\"big\"",
             "\"big\" is a text; expected a whole number from 0 to 8192 (width of a token's "
             "state)"},
        Case{"model", "dim", "null",
             "null is not allowed here; expected a whole number from 0 to 8192 (width of a "
             "token's state)"},
        Case{"model", "alpha", "1.5",
             "1.5 is out of range; expected a number from 0 to 1 (share of the base state kept at "
             "each step)"},
        Case{"model", "alpha", "[1]",
             "[1] is a list; expected a number from 0 to 1 (share of the base state kept at each "
             "step)"},
        Case{"train", "ema_decay", "1",
             "1 is out of range; expected a number of at least 0 and below 1 (decay of the "
             "running average of the weights, per update)"},
        Case{"train", "learning_rate", "0",
             "0 is out of range; expected a number above 0 and at most 10 (learning rate of "
             "AdamW, at its highest)"},
        Case{"train", "seed", "-1",
             "-1 is out of range; expected a whole number from 0 to 4294967295 (seed of every "
             "random choice)"},
        Case{"data", "max_rows", "-1",
             "-1 is out of range; expected a whole number of at least 0 (how many rows of "
             "data.train to use, from its start)"},
        Case{"data", "cache", "\"yes\"",
             "\"yes\" is a text; expected true or false (whether encoded files are kept on disk "
             "for the next run)"},
        Case{"data", "train", "7",
             "7 is a number; expected a path, a pattern of paths (*, ?, [...]) or a list of them "
             "(file of labelled texts to train on)"},
        Case{"data", "train", "true",
             "true is not allowed here; expected a path, a pattern of paths (*, ?, [...]) or a "
             "list of them (file of labelled texts to train on)"},
        Case{"data", "train", "\"a\\u0000b\"",
             "\"a\\u0000b\" holds a NUL character; expected a path, a pattern of paths (*, ?, "
             "[...]) or a list of them (file of labelled texts to train on)"},
        Case{"data", "label_column", "0",
             "0 is out of range; expected a name, or a whole number from 1 (column that holds the "
             "label)"},
        Case{"data", "text_columns", "[1, {}]",
             "{} is an object; expected a list of names or of whole numbers from 1 (columns that "
             "hold the text)"},
        Case{"model", "pooling", "\"meanmax\"",
             "\"meanmax\" is unknown; expected one of mean, max, mean_max (how the states of a "
             "text become one vector); did you mean \"mean_max\"?"},
        Case{"model", "pooling", "\"attention\"",
             "\"attention\" is unknown; expected one of mean, max, mean_max (how the states of a "
             "text become one vector)"},
        Case{"model", "pooling", "3",
             "3 is a number; expected one of mean, max, mean_max (how the states of a text become "
             "one vector)"},
        Case{"model", "dilation", "[]",
             "[] is empty; expected one or more whole numbers from 1 to 1048576 (distance between "
             "neighbours)"},
        Case{"model", "dilation", "[1, 0]",
             "0 is out of range; expected one or more whole numbers from 1 to 1048576 (distance "
             "between neighbours)"},
        Case{"train", "length", "\"3\"",
             "\"3\" is not allowed; expected auto, epochs (\"3e\"), updates (\"5000u\") or minutes "
             "(\"30m\") (how long to train)"},
        Case{"train", "length", "3",
             "3 is a number; expected auto, epochs (\"3e\"), updates (\"5000u\") or minutes "
             "(\"30m\") (how long to train)"},
        Case{"train", "warmup", "\"2.5u\"",
             "\"2.5u\" is not allowed; expected auto, epochs (\"3e\") or updates (\"5000u\") (how "
             "long "
             "the learning rate rises from 0)"},
        Case{"train", "evaluate_every", "\"5 epochs\"",
             "\"5 epochs\" is not allowed; expected epochs (\"3e\") or updates (\"5000u\") (how "
             "often to validate and save a checkpoint)"},
        Case{"train", "device", "\"gpu\"",
             "\"gpu\" is not allowed; expected auto, cpu, cuda or cuda:INDEX (where to compute)"},
        Case{"train", "length", "\"0e\"", "\"0e\" trains nothing; expected more than 0"},
        Case{"train", "evaluate_every", "\"0u\"", "\"0u\" never comes round; expected more than 0"},
        Case{"train", "length", "\"9999999999999u\"",
             "\"9999999999999u\" is not a length; expected epochs (\"3e\"), updates (\"5000u\") or "
             "minutes (\"30m\"), at most 1e12"},
        Case{"train", "evaluate_every", "\"5m\"",
             "\"5m\" is not allowed; expected epochs (\"3e\") or updates (\"5000u\") (how often to "
             "validate and save a checkpoint)"},
        Case{"train", "checkpoint_every", "\"5\"",
             "\"5\" is not allowed; expected epochs (\"3e\"), updates (\"5000u\") or minutes "
             "(\"30m\") (how often to save a checkpoint between evaluations, which always do)"},
        Case{"train", "precision", "\"half\"",
             "\"half\" is unknown; expected one of auto, fp32, tf32, bf16, fp16 (number format "
             "of the matrix products; with tensor operations also of what they feed)"},
        Case{"train", "class_weights", "{\"a\": -1}",
             "\"a\": -1 is no weight; expected none, balanced, or {\"CLASS\": WEIGHT, ...} with "
             "numbers from 0 to 1000000 (how much a training row counts in the loss by its class)"},
        Case{"train", "class_weights", "{\"a\": \"2\"}",
             "\"a\": \"2\" is no weight; expected none, balanced, or {\"CLASS\": WEIGHT, ...} with "
             "numbers from 0 to 1000000 (how much a training row counts in the loss by its class)"},
        Case{"train", "class_weights", "{}",
             "{} is empty; expected none, balanced, or {\"CLASS\": WEIGHT, ...} with "
             "numbers from 0 to 1000000 (how much a training row counts in the loss by its class)"},
        Case{"train", "class_weights", "\"even\"",
             "\"even\" is unknown; expected none, balanced, or {\"CLASS\": WEIGHT, ...} with "
             "numbers from 0 to 1000000 (how much a training row counts in the loss by its class)"},
        Case{"train", "class_weights", "3",
             "3 is a number; expected none, balanced, or {\"CLASS\": WEIGHT, ...} with "
             "numbers from 0 to 1000000 (how much a training row counts in the loss by its class)"},
        Case{"train", "metric", "\"f1\"",
             "\"f1\" is unknown; expected one of accuracy, macro_f1, loss (the figure of the "
             "validation rows that chooses the best checkpoint and that train.patience waits "
             "for)"}));

struct KeyCase {
  std::string content;
  std::string message;
};

class UnknownKey : public ::testing::TestWithParam<KeyCase> {};

TEST_P(UnknownKey, ComesWithTheNearestName) {
  EXPECT_EQ(load_error(GetParam().content), "c.json: " + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, UnknownKey,
    ::testing::Values(
        KeyCase{R"({"model": {"dmi": 3}})", R"(model.dmi: unknown key; did you mean "model.dim"?)"},
        KeyCase{R"({"train": {"lr": 3}})",
                R"(train.lr: unknown key; did you mean "train.learning_rate"?)"},
        KeyCase{R"({"train": {"epochs": 3}})",
                R"(train.epochs: unknown key; did you mean "train.length"?)"},
        KeyCase{R"({"model": {"batch_size": 3}})",
                R"(model.batch_size: unknown key; did you mean "train.batch_size"?)"},
        KeyCase{R"({"model": {"qqqqqqqqqqqqqqq": 3}})",
                "model.qqqqqqqqqqqqqqq: unknown key; `diffuse config --defaults` lists all keys"},
        KeyCase{R"({"qqqqqqqqqqqqqqq": {}})",
                "qqqqqqqqqqqqqqq: unknown key; expected data, tokenizer, ngrams, model, "
                "distilbert, bert, mixer, train, pretrain; "
                "`diffuse config --defaults` lists all keys"},
        KeyCase{R"({"modle": {}})",
                "modle: unknown key; expected data, tokenizer, ngrams, model, distilbert, "
                "bert, mixer, train, pretrain; "
                "did you mean "
                "\"model\"?"},
        KeyCase{R"({"seed": 3})",
                "seed: unknown key; expected data, tokenizer, ngrams, model, distilbert, "
                "bert, mixer, train, pretrain; "
                "did you mean "
                "\"train.seed\"?"},
        KeyCase{R"({"data.train": "x.csv"})",
                "data.train: unknown key; expected data, tokenizer, ngrams, model, distilbert, "
                "bert, mixer, train, pretrain; "
                "write it as "
                R"({"data": {"train": ...}})"},
        KeyCase{R"({"model": 3})", R"(model: 3 is a number; expected an object, {"type": ...})"},
        KeyCase{"[1]", R"([1] is a list; expected an object, {"data": {...}, "model": {...}})"},
        KeyCase{"null", R"(null is null; expected an object, {"data": {...}, "model": {...}})"}));

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
  EXPECT_THAT(load_error(with("train", "length", "\"" + std::string(100'000, '1') + "e\"")),
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
