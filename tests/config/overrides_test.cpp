#include <gmock/gmock.h>

#include "config/support.hpp"

namespace diffuse::testing {
namespace {

using ::testing::StartsWith;

TEST(Overrides, EachTypeIsReadFromText) {
  const Config config = default_config({{"model.dim", "17"},
                                        {"data.max_rows", "1e3"},
                                        {"train.learning_rate", "1e-4"},
                                        {"model.alpha", "1"},
                                        {"data.cache", "false"},
                                        {"model.pooling", "max"},
                                        {"model.steps", "3"},
                                        {"model.dilation", "1, 2,4"},
                                        {"data.text_columns", "title,2"},
                                        {"data.label_column", "3"},
                                        {"train.length", "10u"}});
  EXPECT_EQ(config.model.dim, 17);
  EXPECT_EQ(config.data.max_rows, 1000);
  EXPECT_EQ(config.train.learning_rate, 1e-4);
  EXPECT_EQ(config.model.alpha, 1.0);
  EXPECT_FALSE(config.data.cache);
  EXPECT_EQ(config.model.pooling, Pooling::max);
  EXPECT_EQ(config.model.dilation, (std::vector<std::int64_t>{1, 2, 4}));
  EXPECT_EQ(config.data.text_columns, (std::vector<std::string>{"title", "2"}));
  EXPECT_EQ(config.data.label_column, "3");
  EXPECT_EQ(config.train.length, "10u");
}

TEST(Overrides, ListsMayBeJson) {
  const Config config =
      default_config({{"model.dilation", "[1, 2]"}, {"data.text_columns", R"(["a, b", 3])"}});
  EXPECT_EQ(config.model.dilation, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(config.data.text_columns, (std::vector<std::string>{"a, b", "3"}));
}

TEST(Overrides, ClassWeightsAreAWordOrJson) {
  const auto weights = [](const std::string& text) {
    return default_config({{"train.class_weights", text}}).train.class_weights;
  };
  EXPECT_EQ(weights("balanced").rule, ClassWeights::Rule::balanced);
  const ClassWeights named = weights(R"({"spam": 2, "a b": 0.5})");
  EXPECT_EQ(named.rule, ClassWeights::Rule::by_name);
  EXPECT_EQ(named.by_name,
            (std::vector<std::pair<std::string, double>>{{"spam", 2}, {"a b", 0.5}}));
  EXPECT_THAT(override_error("train.class_weights", "{spam: 2}"),
              StartsWith("command line: train.class_weights: \"{spam: 2}\" is unknown; expected"));
}

TEST(Overrides, AnEmptyValueEmptiesTextsAndLists) {
  const Config config = load_text(R"({"data": {"text_columns": ["a"], "labels": "x"}})",
                                  {{"data.text_columns", ""}, {"data.labels", ""}});
  EXPECT_TRUE(config.data.text_columns.empty());
  EXPECT_EQ(config.data.labels, "");
}

TEST(Overrides, WhatCannotBeReadIsAnError) {
  EXPECT_THAT(override_error("model.dim", "big"),
              StartsWith("command line: model.dim: \"big\" is a text; expected a whole number"));
  EXPECT_THAT(override_error("model.dim", ""),
              StartsWith("command line: model.dim: \"\" is a text; expected a whole number"));
  EXPECT_THAT(override_error("model.dim", "12x"),
              StartsWith("command line: model.dim: \"12x\" is a text; expected a whole number"));
  EXPECT_THAT(override_error("model.alpha", "nan"),
              StartsWith("command line: model.alpha: \"nan\" is a text; expected a number"));
  EXPECT_THAT(override_error("data.cache", "yes"),
              StartsWith("command line: data.cache: \"yes\" is a text; expected true or false"));
  EXPECT_THAT(override_error("model.dilation", "1,b"),
              StartsWith("command line: model.dilation: \"b\" is a text; expected one or more"));
  EXPECT_THAT(override_error("model.dilation", "1,"),
              StartsWith("command line: model.dilation: \"\" is a text; expected one or more"));
  EXPECT_THAT(override_error("model.dilation", "[1"),
              StartsWith("command line: model.dilation: \"[1\" is a text; expected one or more"));
  EXPECT_THAT(override_error("data.label_column", "\xff"),
              ::testing::HasSubstr("is not valid UTF-8; expected a name"));
}

TEST(Overrides, UnknownKeysComeWithTheNearestName) {
  EXPECT_EQ(override_error("train.learning_rat", "1"),
            "command line: train.learning_rat: unknown key; did you mean \"train.learning_rate\"?");
  EXPECT_EQ(override_error("dim", "1"),
            "command line: dim: unknown key; did you mean \"model.dim\"?");
  EXPECT_EQ(override_error("lr", "1"),
            "command line: lr: unknown key; did you mean \"train.learning_rate\"?");
  EXPECT_EQ(override_error("modle.dim", "1"),
            "command line: modle.dim: unknown key; did you mean \"model.dim\"?");
  EXPECT_THAT(override_error("model", "1"), StartsWith("command line: model: unknown key"));
}

TEST(Overrides, VariablesAreTheShellsBusiness) {
  EXPECT_EQ(default_config({{"data.label_column", "${DIFFUSE_TEST_UNSET}"}}).data.label_column,
            "${DIFFUSE_TEST_UNSET}");
}

}  // namespace
}  // namespace diffuse::testing
