#include <gmock/gmock.h>

#include "config/support.hpp"

namespace diffuse::testing {
namespace {

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

}  // namespace
}  // namespace diffuse::testing
