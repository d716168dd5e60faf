// How much rows count: data.weight_column and train.class_weights.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/loading.hpp"
#include "data/reading.hpp"

namespace diffuse {
namespace {

using testing::csv;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::jsonl;
using testing::LogCapture;
using testing::message_of;

DataConfig weighted(const std::string& column) {
  DataConfig data;
  data.weight_column = column;
  return data;
}

/// The weights of `content`'s rows.
std::vector<double> weights_of(const std::string& name, const std::string& content,
                               const std::string& column) {
  const testing::TempDir dir;
  const auto reader = open_records(dir.write(name, content), weighted(column));
  std::vector<double> weights;
  Example example;
  BadRow bad;
  while (reader->next(example, bad) == ReadStatus::row) weights.push_back(example.weight);
  return weights;
}

TEST(WeightColumn, IsReadFromEveryFormat) {
  EXPECT_THAT(weights_of("a.csv", "label,text,w\nx,a,2\ny,b, 0.25 \nz,c,0\n", "w"),
              ElementsAre(2, 0.25, 0));
  EXPECT_THAT(weights_of("a.tsv", "W\tlabel\ttext\n1e2\tx\ta\n", "w"), ElementsAre(100));
  EXPECT_THAT(weights_of("a.csv", "x,a,+2\ny,b,3\n", "3"), ElementsAre(2, 3)) << "by its number";
  EXPECT_THAT(weights_of("a.jsonl",
                         "{\"label\":1,\"text\":\"a\",\"w\":0.5}\n"
                         "{\"label\":1,\"text\":\"b\",\"w\":3}\n",
                         "w"),
              ElementsAre(0.5, 3));
}

TEST(WeightColumn, IsNeitherTextNorLabel) {
  EXPECT_THAT(csv("kind,w,text\nx,2,a\n", weighted("w")), ElementsAre("2 x: a"));
  EXPECT_THAT(csv("w,kind,words\n2,x,a\n3,y,b\n", weighted("w")), ElementsAre("2 x: a", "3 y: b"));
  DataConfig data = weighted("3");
  data.text_columns = {"text"};
  data.label_column = "label";
  EXPECT_THAT(message_of<ConfigError>([&] { csv("label,w,text\nx,2,a\n", data); }),
              HasSubstr("data.text_columns holds the weight column; expected columns other than "
                        "data.weight_column"));
  data.weight_column = "1";
  EXPECT_THAT(message_of<ConfigError>([&] { csv("label,w,text\nx,2,a\n", data); }),
              HasSubstr("data.weight_column is the label column; expected another column"));
}

TEST(WeightColumn, IsSaidInTheLog) {
  const testing::TempDir dir;
  Example example;
  BadRow bad;
  const auto table = open_records(dir.write("a.csv", "label,text,w\nx,a,2\n"), weighted("w"));
  table->next(example, bad);
  EXPECT_THAT(table->layout()->description, HasSubstr(", weight is column 3 (\"w\")"));
  const auto lines =
      open_records(dir.write("a.jsonl", "{\"label\":1,\"text\":\"a\",\"w\":1}\n"), weighted("w"));
  lines->next(example, bad);
  EXPECT_THAT(lines->layout()->description, HasSubstr(", weight is key \"w\""));
}

TEST(WeightColumn, AWeightThatIsNoneMakesABadRow) {
  for (const char* field : {"-1", "x", "", "nan", "inf", "1e7", "2 3"}) {
    EXPECT_THAT(csv("label,text,w\nx,a,1\ny,b," + std::string(field) + "\n", weighted("w")),
                ElementsAre("2 x: a", "3! the weight \"w\" is \"" + std::string(field) +
                                          "\"; a number from 0 to 1000000"));
  }
  EXPECT_THAT(csv("x,a,1\ny,b,-2\n", weighted("3")),
              ElementsAre("1 x: a", "2! the weight 3 is \"-2\"; a number from 0 to 1000000"));
  const std::string good = "{\"label\":1,\"text\":\"a\",\"w\":1}\n";
  const auto second = [&](const std::string& line) {
    return jsonl(good + line + "\n", weighted("w")).at(1);
  };
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\",\"w\":\"2\"}"),
            "2! the weight \"w\" is \"2\"; a number from 0 to 1000000");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\",\"w\":-0.5}"),
            "2! the weight \"w\" is -0.5; a number from 0 to 1000000");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\",\"w\":null}"),
            "2! the weight \"w\" is null; a number from 0 to 1000000");
  EXPECT_EQ(second("{\"label\":1,\"text\":\"a\"}"),
            "2! there is no key \"w\"; the weight under that key in every row");
}

TEST(WeightColumn, ThatIsNotThereIsNamed) {
  EXPECT_THAT(message_of<DataError>([] { csv("label,text\nx,a\n", weighted("w")); }),
              HasSubstr("there is no column \"w\" (data.weight_column); expected one of"));
  EXPECT_THAT(message_of<DataError>([] { jsonl("{\"label\":1,\"text\":\"a\"}\n", weighted("w")); }),
              HasSubstr("there is no key \"w\" (data.weight_column); expected one of"));
}

using Weights = testing::Loading;

const char* const kWeighted =
    "label,text,w\nwarm,red red,2\ncold,blue,1\nwarm,orange red,3\ncold,blue ice,1\n"
    "warm,red sun,2\ncold,snow blue,1\nwarm,fire,2\nwarm,embers,0.5\n";

std::vector<float> weights_in(const TrainingData& loaded) {
  std::vector<float> weights;
  for (std::size_t i = 0; i < loaded.train_file->size(); ++i)
    weights.push_back(loaded.train_file->targets().weight(i));
  return weights;
}

TEST_F(Weights, ArePartOfTheCache) {
  train_on(kWeighted);
  data_.weight_column = "w";
  const std::vector<float> read = weights_in(load(words_));
  EXPECT_THAT(read, ElementsAre(2, 1, 3, 1, 2, 1, 2, 0.5F));
  const LogCapture log;
  EXPECT_EQ(weights_in(load(words_)), read);
  EXPECT_THAT(log.text(), HasSubstr("(cached)"));
  data_.weight_column.clear();
  data_.text_columns = {"text"};
  EXPECT_FALSE(load(words_).train_file->targets().weighted()) << "another column is another entry";
}

TEST_F(Weights, ValidationAndTestNeedNone) {
  train_on(kWeighted);
  data_.weight_column = "w";
  data_.validation = write("v.csv", "label,text\nwarm,red\n");
  data_.test = write("t.csv", "label,text\ncold,blue\n");
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.validation.size(), 1U);
  EXPECT_EQ(loaded.test.size(), 1U);
  EXPECT_FALSE(loaded.validation_file->targets().weighted());
  EXPECT_NO_THROW(
      load_labelled_file(data_.test, data_, words_, *loaded.tokenizer, loaded.labels, 1));
}

TEST_F(Weights, OfClassesComeOnTopOfTheRows) {
  train_on(kWeighted);
  data_.weight_column = "w";
  data_.validation_fraction = 0;
  TrainingData loaded = load(words_);
  ClassWeights setting{.rule = ClassWeights::Rule::by_name, .by_name = {{"cold", 4}}};
  weigh_classes(setting, loaded);
  EXPECT_THAT(weights_in(loaded), ElementsAre(2, 4, 3, 4, 2, 4, 2, 0.5F));
}

TEST_F(Weights, BalancedOnesMakeClassesCountTheSame) {
  const Labels labels({"a", "b", "c"});
  const std::vector<double> weights =
      class_weights({.rule = ClassWeights::Rule::balanced}, labels, {30, 10, 0});
  EXPECT_THAT(weights, ElementsAre(40.0 / (2 * 30), 40.0 / (2 * 10), 1))
      << "n / (C n_c), classes without rows apart";
  EXPECT_DOUBLE_EQ(30 * weights[0], 10 * weights[1]);
  EXPECT_THAT(class_weights({}, labels, {30, 10, 0}), ElementsAre(1, 1, 1));
}

TEST_F(Weights, OfAClassThatIsNotThereAreAnError) {
  const Labels labels({"ham", "spam"});
  const auto error = [&](std::vector<std::pair<std::string, double>> names) {
    return message_of<DataError>([&] {
      class_weights({.rule = ClassWeights::Rule::by_name, .by_name = std::move(names)}, labels,
                    {1, 1});
    });
  };
  EXPECT_THAT(error({{"sapm", 2}}),
              HasSubstr("train.class_weights: there is no class \"sapm\", did you mean \"spam\"?; "
                        "expected \"ham\", \"spam\""));
  EXPECT_THAT(error({{"spam", 2}, {" spam", 3}}),
              HasSubstr("train.class_weights: the class \"spam\" stands twice; expected each class "
                        "once"));
}

TEST_F(Weights, OfZeroAloneTeachNothing) {
  train_on(kWeighted);
  data_.validation_fraction = 0;
  data_.weight_column = "w";
  TrainingData loaded = load(words_);
  EXPECT_THAT(message_of<DataError>([&] {
                weigh_classes(
                    {.rule = ClassWeights::Rule::by_name, .by_name = {{"cold", 0}, {"warm", 0}}},
                    loaded);
              }),
              HasSubstr("every training row has the weight 0 (data.weight_column, "
                        "train.class_weights), so that nothing can be learnt; expected rows with "
                        "more"));
}

}  // namespace
}  // namespace diffuse
