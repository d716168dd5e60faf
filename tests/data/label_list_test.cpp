// data.label_separator: any number of labels a text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "data/loading.hpp"
#include "data/reading.hpp"
#include "diffuse/data/gold.hpp"
#include "diffuse/data/packed_rows.hpp"
#include "diffuse/data/survey.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LogCapture;
using testing::message_of;
using ::testing::Not;
using testing::TempDir;

DataConfig separated(const std::string& by = "|") {
  DataConfig data;
  data.label_separator = by;
  return data;
}

/// Rows as "a+b: text", bad ones as "line! problem; expected".
std::vector<std::string> read_lists(const std::string& name, const std::string& content,
                                    const DataConfig& data = separated()) {
  const TempDir dir;
  const auto reader = open_records(dir.write(name, content), data);
  std::vector<std::string> result;
  Example example;
  BadRow bad;
  for (;;) {
    const ReadStatus status = reader->next(example, bad);
    if (status == ReadStatus::end) return result;
    std::string labels;
    for (const std::string& label : example.labels) {
      if (!labels.empty()) labels += '+';
      labels += label;
    }
    result.push_back(status == ReadStatus::row
                         ? labels + ": " + example.text
                         : std::to_string(bad.line) + "! " + bad.problem + "; " + bad.expected);
  }
}

TEST(LabelList, IsWhatStandsBetweenSeparators) {
  EXPECT_THAT(
      read_lists("a.csv", "label,text\nx|y,one\n x | z z ,two\nx||y|x|,three\n,four\n|,five\n"),
      ElementsAre("x+y: one", "x+z z: two", "x+y: three", ": four", ": five"))
      << "without blanks around, each once, none from an empty cell";
  EXPECT_THAT(read_lists("a.tsv", "text\tlabels\none\tx; y\ntwo\ty\n", separated("; ")),
              ElementsAre("x+y: one", "y: two"));
  EXPECT_THAT(read_lists("a.csv", "tags,text\n\"x,y\",one\ny,two\n", separated(",")),
              ElementsAre("x+y: one", "y: two"));
}

TEST(LabelList, IsAListInJsonl) {
  EXPECT_THAT(
      read_lists("a.jsonl",
                 "{\"label\":[\"x\",\"y\"],\"text\":\"one\"}\n{\"label\":[],\"text\":\"two\"}\n"
                 "{\"label\":\"x|z\",\"text\":\"three\"}\n{\"label\":[1,true],\"text\":\"four\"}\n"
                 "{\"label\":7,\"text\":\"five\"}\n{\"label\":\"\",\"text\":\"six\"}\n"),
      ElementsAre("x+y: one", ": two", "x+z: three", "1+true: four", "7: five", ": six"));
}

TEST(LabelList, OfHundredsOfThousandsIsReadAsOneOfFew) {
  std::string cell;
  constexpr int kLabels = 300'000;
  for (int i = 0; i < kLabels; ++i) cell += "l" + std::to_string(i) + "|";
  const auto rows = [&](const std::string& name, const std::string& content) {
    const TempDir dir;
    const auto reader = open_records(dir.write(name, content), separated());
    Example example;
    BadRow bad;
    EXPECT_EQ(reader->next(example, bad), ReadStatus::row) << bad.problem;
    return example.labels;
  };
  // Each comes twice, and stands where it came first.
  const std::vector<std::string> labels =
      rows("a.csv", "label,text\n" + cell + cell + ",one\nx,two\n");
  ASSERT_EQ(labels.size(), static_cast<std::size_t>(kLabels));
  for (int i = 0; i < kLabels; ++i)
    ASSERT_EQ(labels[static_cast<std::size_t>(i)], "l" + std::to_string(i));
  std::string list;
  for (int i = 0; i < 100; ++i) list += "\"l" + std::to_string(i % 20) + "\",";
  EXPECT_EQ(rows("a.jsonl", "{\"label\":[" + list + "\"x\"],\"text\":\"one\"}\n").size(), 21U);
}

TEST(LabelList, OfAnotherFormMakesABadRow) {
  const auto second = [](const std::string& value) {
    return read_lists("a.jsonl", "{\"label\":[\"x\"],\"text\":\"a\"}\n{\"label\":" + value +
                                     ",\"text\":\"a\"}\n")
        .at(1);
  };
  EXPECT_EQ(second("null"),
            "2! the labels \"label\" are of type null; a list of labels ([] for none), or one "
            "string");
  EXPECT_EQ(second("{\"x\":1}"),
            "2! the labels \"label\" are of type object; a list of labels ([] for none), or one "
            "string");
  EXPECT_EQ(second("[\"x\",[\"y\"]]"),
            "2! the labels \"label\" hold one of type array; strings, numbers, true or false");
  EXPECT_EQ(second("[\"x|y\"]"),
            "2! the label \"x|y\" holds the separator \"|\" (data.label_separator); labels without "
            "it, or a separator that no label holds");
  EXPECT_THAT(second("[\"x\\ny\"]"), HasSubstr("holds a line break"));
  EXPECT_EQ(second("[\"x\\u0000\"]"), "2! NUL character in the row; text");
}

TEST(LabelList, WithoutTheKeySaysSo) {
  EXPECT_THAT(
      read_lists("a.jsonl", "{\"label\":[\"x\"],\"text\":\"a\"}\n", {}),
      ElementsAre("1! the label \"label\" is a list; one label, or data.label_separator for "
                  "texts of several (--set 'data.label_separator=|')"));
}

using SeveralLabels = testing::Loading;

constexpr const char* kNews =
    "labels,text\nsport|money,a b\nsport,b c\nmoney,c d\n,d e\nsport,e f\nart|sport,f g\n"
    "sport,g h\nmoney|art,h i\n";

std::vector<int> labels_of(const Gold& gold, std::size_t row) {
  return {gold.row(row).begin(), gold.row(row).end()};
}

TEST_F(SeveralLabels, AreClassesByThemselves) {
  data_ = separated();
  data_.cache = false;
  data_.validation_fraction = 0;
  train_on(kNews);
  const TrainingData data = load(words_);
  EXPECT_THAT(data.labels.names(), ElementsAre("art", "money", "sport"));
  EXPECT_THAT(data.facts.class_rows, ElementsAre(2, 3, 5));
  EXPECT_EQ(data.facts.rows, 8);
  const Gold gold = gold_of(data.train, 3);
  ASSERT_TRUE(gold.several);
  EXPECT_THAT(labels_of(gold, 0), ElementsAre(0, 1, 1));
  EXPECT_THAT(labels_of(gold, 3), ElementsAre(0, 0, 0));
  EXPECT_THAT(labels_of(gold, 5), ElementsAre(1, 0, 1));
  EXPECT_THAT(gold.labels, ElementsAre(1, 2, 1, -1, 2, 0, 2, 0)) << "the rarest of each row";
  const std::vector<std::size_t> places = {5, 3};
  EXPECT_THAT(labels_of(gold.at(places), 0), ElementsAre(1, 0, 1));
  EXPECT_THAT(gold.at(places).labels, ElementsAre(0, -1));
  const std::vector<float> odds = label_log_odds(data.facts);
  EXPECT_THAT(odds, ElementsAre(FloatEq(std::log(2.5F / 6.5F)), FloatEq(std::log(3.5F / 5.5F)),
                                FloatEq(std::log(5.5F / 3.5F))));
}

TEST_F(SeveralLabels, AreTargetsOfEachClass) {
  data_ = separated();
  data_.cache = false;
  data_.validation_fraction = 0;
  train_on(kNews);
  const TrainingData data = load(words_);
  const std::vector<std::uint32_t> rows = {0, 3};
  PackedRows packed;
  TargetRule rule{.classes = 3, .label_smoothing = 0, .shares = {0.25F, 0.5F, 0.75F}};
  pack_rows(*data.train_file, rows, packed, rule);
  EXPECT_TRUE(packed.several());
  EXPECT_THAT(packed.distributions(), ElementsAre(0, 1, 1, 0, 0, 0));
  rule.label_smoothing = 0.2;
  pack_rows(*data.train_file, rows, packed, rule);
  EXPECT_THAT(packed.distributions(), ElementsAre(FloatEq(0.05F), FloatEq(0.9F), FloatEq(0.95F),
                                                  FloatEq(0.05F), FloatEq(0.1F), FloatEq(0.15F)))
      << "drawn to each label's share";
  pack_rows(*data.train_file, rows, packed);
  EXPECT_FALSE(packed.several());
  EXPECT_THAT(packed.labels(), ElementsAre(1, 0)) << "where nobody learns, any class does";
}

TEST_F(SeveralLabels, ANameAndItsNumberAreOneLabel) {
  data_ = separated();
  data_.cache = false;
  data_.validation_fraction = 0;
  data_.labels = write("classes.txt", "x\ny\nz\n");
  train_on("labels,text\ny|x|1|0|y,a b\nz|x,b c\n0,c d\n");
  const TrainingData data = load(words_);
  const Gold gold = gold_of(data.train, 3);
  EXPECT_THAT(labels_of(gold, 0), ElementsAre(1, 1, 0));
  EXPECT_EQ(data.train_file->targets().shares(0).size(), 2U);
  EXPECT_THAT(labels_of(gold, 1), ElementsAre(1, 0, 1)) << "named before by another row";
}

TEST_F(SeveralLabels, ComeFromTheCacheAsTheyWere) {
  data_.label_separator = "|";
  train_on(kNews);
  const TrainingData first = load(words_);
  const LogCapture log;
  const TrainingData second = load(words_);
  EXPECT_THAT(log.text(), HasSubstr("(cached)"));
  EXPECT_EQ(gold_of(first.train, 3).has, gold_of(second.train, 3).has);
  EXPECT_EQ(first.train.rows, second.train.rows);
  EXPECT_EQ(second.facts.rows, first.facts.rows);
  data_.label_separator = ";";
  const LogCapture other;
  EXPECT_EQ(load(words_).labels.names().size(), 5U) << "each cell is a label now";
  EXPECT_THAT(other.text(), HasSubstr("(read)"));
}

TEST_F(SeveralLabels, EveryPartHasSomeOfARareOne) {
  data_ = separated();
  data_.cache = false;
  data_.validation_fraction = 0.2;
  std::string rows = "label,text\n";
  for (int i = 0; i < 100; ++i)
    rows += std::string(i % 10 == 0 ? "common|rare" : "common") + ",w" + std::to_string(i) + "\n";
  train_on(rows);
  const TrainingData data = load(words_);
  EXPECT_THAT(count_classes(data.validation, 2), ElementsAre(20, 2));
  EXPECT_THAT(count_classes(data.train, 2), ElementsAre(80, 8));
}

TEST_F(SeveralLabels, ThatTheModelLacksAreCountedInATestFile) {
  data_ = separated();
  data_.cache = false;
  train_on(kNews);
  data_.test = write("t.csv", "labels,text\nsport|chess|golf,a\nmoney,b\nchess,c\n");
  const LogCapture log;
  const TrainingData data = load(words_);
  const Gold gold = gold_of(data.test, 3);
  EXPECT_THAT(gold.unknown, ElementsAre(2, 0, 1));
  EXPECT_THAT(labels_of(gold, 0), ElementsAre(0, 0, 1));
  EXPECT_THAT(log.text(), HasSubstr("data.test: 2 of 3 rows (66.7 %) have a label that the model "
                                    "lacks and count as wrong: \"chess\" 2, \"golf\" 1"));
  data_.test = write("t.csv", "labels,text\nchess,a\n,b\n");
  EXPECT_THAT(error_of(words_), HasSubstr("no row has a label that the model knows"));
  data_.test = write("t.csv", "labels,text\n,a\n,b\n");
  EXPECT_EQ(load(words_).test.size(), 2U) << "rows without any label are rows";
}

TEST_F(SeveralLabels, OfTwoRowsOfOneTextAreCompared) {
  data_ = separated();
  data_.cache = false;
  data_.validation_fraction = 0;
  train_on("labels,text\nx|y,one\ny|x,one\nx|y,two\ny,two\nz,three\n");
  const TrainingData data = load(words_);
  EXPECT_EQ(data.summary.train.ambiguous.texts, 1) << "the order of labels says nothing";
}

TEST_F(SeveralLabels, AreAtLeastTwoAndNoneHoldsTheSeparator) {
  data_ = separated();
  data_.cache = false;
  train_on("label,text\nx,a\n,b\n");
  EXPECT_THAT(error_of(words_),
              HasSubstr("only one label in 2 rows; expected at least two (is data.label_column the "
                        "right one, and data.label_separator what stands between the labels?)"));
  train_on("label,text\n,a\n,b\n");
  EXPECT_THAT(error_of(words_), HasSubstr("no label in 2 rows"));
  data_.labels = write("classes.txt", "x\ny|z\nw\n");
  train_on("label,text\nx,a\nw,b\n");
  EXPECT_THAT(error_of(words_), HasSubstr("the class \"y|z\" of data.labels holds "
                                          "data.label_separator \"|\"; expected names without it"));
}

TEST_F(SeveralLabels, AreSurveyed) {
  train_on(kNews);
  const DataSurvey survey = survey_training_file(data_.train, separated(), 4, 1000);
  EXPECT_THAT(survey.class_names, ElementsAre("sport", "money", "art"));
  EXPECT_THAT(survey.sample_texts, ElementsAre("a b", "c d", "e f", "g h"));
  EXPECT_THAT(survey.sample_label_lists,
              ElementsAre(ElementsAre(0, 1), ElementsAre(1), ElementsAre(0), ElementsAre(0)));
}

}  // namespace
}  // namespace diffuse
