// data.soft_labels: a probability for each class with a row.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/loading.hpp"
#include "data/reading.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::jsonl;
using testing::LogCapture;
using testing::message_of;

DataConfig soft(const std::string& key = "p") {
  DataConfig data;
  data.soft_labels = key;
  return data;
}

/// What `jsonl` says of the second of two rows.
std::string second(const std::string& value) {
  return jsonl("{\"label\":\"x\",\"text\":\"a\"}\n{\"label\":\"x\",\"text\":\"a\",\"p\":" + value +
                   "}\n",
               soft())
      .at(1);
}

TEST(SoftLabel, IsAnObjectOrAListAndMayBeMissing) {
  EXPECT_EQ(second("{\"x\":0.25,\"y\":0.75}"), "2 x: a");
  EXPECT_EQ(second("[0.5,0.5]"), "2 x: a");
  EXPECT_EQ(second("null"), "2 x: a");
  EXPECT_EQ(second("{\"x\":0.33,\"y\":0.33,\"z\":0.33}"), "2 x: a") << "rounded";
}

TEST(SoftLabel, ThatIsNoneMakesABadRow) {
  EXPECT_EQ(
      second("\"x\""),
      "2! the soft label \"p\" is of type string; an object {\"class\": probability, ...}, or "
      "a list of probabilities");
  EXPECT_EQ(
      second("{}"),
      "2! the soft label \"p\" is empty; an object {\"class\": probability, ...}, or a list of "
      "probabilities");
  EXPECT_EQ(second("{\"x\":-0.1,\"y\":1.1}"),
            "2! the soft label \"p\" holds -0.1 for \"x\"; numbers from 0 to 1");
  EXPECT_EQ(second("{\"x\":\"1\"}"),
            "2! the soft label \"p\" holds \"1\" for \"x\"; numbers from 0 to 1");
  EXPECT_EQ(second("[0.5,null]"),
            "2! the soft label \"p\" holds null for class number 2; numbers from 0 to 1");
  EXPECT_EQ(second("{\"x\":0.5,\"y\":0.2}"),
            "2! the soft label \"p\" adds up to 0.7; 1 (0.98 to 1.02)");
  EXPECT_EQ(second("{\"x\":0.7,\"y\":0.7}"),
            "2! the soft label \"p\" adds up to 1.4; 1 (0.98 to 1.02)");
  EXPECT_THAT(second("{\" \":1}"), HasSubstr("holds an empty class name"));
  EXPECT_EQ(second("{\"x\":0.3,\"y\":0.5,\"x\":0.5}"),
            "2! the key \"x\" of \"p\" stands twice; each key once")
      << "the parser would keep one of the two without a word";
}

TEST(SoftLabel, StandsInForALabel) {
  const std::string rows = "{\"text\":\"a\",\"p\":{\"x\":1}}\n{\"text\":\"b\"}\n";
  EXPECT_THAT(jsonl(rows, soft()),
              ElementsAre("1 : a",
                          "2! there is no key \"p\"; the soft label under that key, or a "
                          "label, in every row"));
  EXPECT_THAT(jsonl("{\"text\":\"a\",\"label\":null,\"p\":{\"x\":1}}\n", soft()),
              ElementsAre("1 : a"));
  EXPECT_THAT(message_of<DataError>([] { jsonl("{\"text\":\"a\"}\n", soft()); }),
              HasSubstr("there is no key label, class"));
}

TEST(SoftLabel, HasNoPlaceInATable) {
  EXPECT_THAT(message_of<DataError>([] { testing::csv("label,text\nx,a\n", soft()); }),
              HasSubstr("a.csv: a csv file has no place for soft labels (data.soft_labels = "
                        "\"p\"); expected JSONL, a key of that name in its objects"));
}

class SoftLabels : public testing::Loading {
 protected:
  SoftLabels() {
    data_.soft_labels = "p";
    data_.validation_fraction = 0;
  }
  void train_on_lines(const std::string& content) { data_.train = write("t.jsonl", content); }
};

const char* const kTaught =
    "{\"text\":\"red\",\"label\":\"warm\",\"p\":{\"cold\":0.1,\"warm\":0.9,\"mild\":0}}\n"
    "{\"text\":\"blue\",\"label\":\"cold\"}\n"
    "{\"text\":\"sand\",\"p\":{\"cold\":0.2,\"mild\":0.5,\"warm\":0.3}}\n"
    "{\"text\":\"ice\",\"label\":\"cold\",\"p\":{\"warm\":0.6,\"cold\":0.39}}\n";

void expect_taught(const TrainingData& loaded) {
  ASSERT_EQ(loaded.labels.names(), (std::vector<std::string>{"cold", "mild", "warm"}));
  const EncodedDataset& data = *loaded.train_file;
  ASSERT_EQ(data.size(), 4U);
  EXPECT_EQ(data.label(0), 2);
  EXPECT_EQ(data.label(1), 0);
  EXPECT_EQ(data.label(2), 1) << "the most probable class";
  EXPECT_EQ(data.label(3), 0) << "the label, whatever the teacher says";
  const RowTargets& targets = data.targets();
  ASSERT_EQ(targets.shares(0).size(), 2U) << "0 is not kept";
  EXPECT_EQ(targets.shares(0)[0].label, 0);
  EXPECT_FLOAT_EQ(targets.shares(0)[1].share, 0.9F);
  EXPECT_TRUE(targets.shares(1).empty());
  EXPECT_TRUE(targets.soft_only(2));
  EXPECT_FALSE(targets.soft_only(3));
  EXPECT_FLOAT_EQ(targets.shares(3)[0].share, static_cast<float>(0.6 / 0.99)) << "1 together";
}

TEST_F(SoftLabels, AreLoadedAndCached) {
  train_on_lines(kTaught);
  expect_taught(load(words_));
  const LogCapture log;
  expect_taught(load(words_));
  EXPECT_THAT(log.text(), AllOf(HasSubstr("(cached)"), HasSubstr("soft label is key \"p\"")));
}

TEST_F(SoftLabels, AListFollowsTheLabelFile) {
  const std::string rows =
      "{\"text\":\"red\",\"label\":\"warm\",\"p\":[0.25,0.75]}\n"
      "{\"text\":\"blue\",\"p\":[0,1]}\n";
  train_on_lines(rows);
  EXPECT_THAT(error_of(words_),
              HasSubstr("t.jsonl:1: the soft label is a list; expected an object {\"class\": "
                        "probability, ...}, or data.labels, a file with the order of the classes"));
  data_.labels = write("labels.txt", "warm\ncold\n");
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.train_file->label(0), 0);
  EXPECT_EQ(loaded.train_file->targets().shares(0)[1].label, 1);
  EXPECT_EQ(loaded.train_file->label(1), 1);
  train_on_lines(rows + "{\"text\":\"x\",\"label\":\"warm\",\"p\":[0.5,0.25,0.25]}\n");
  EXPECT_THAT(error_of(words_), HasSubstr("t.jsonl:3: the soft label has 3 probabilities; expected "
                                          "2, in the order of the classes"));
}

TEST_F(SoftLabels, OfAnUnknownClassOrOneTwiceAreBadRows) {
  data_.labels = write("labels.txt", "warm\ncold\n");
  train_on_lines("{\"text\":\"red\",\"label\":\"warm\",\"p\":{\"worm\":1}}\n");
  EXPECT_THAT(error_of(words_),
              HasSubstr("t.jsonl:1: in the soft label: unknown label \"worm\", did you mean "
                        "\"warm\"?; expected one of warm, cold"));
  train_on_lines("{\"text\":\"red\",\"label\":\"warm\",\"p\":{\"warm\":0.5,\" warm\":0.5}}\n");
  EXPECT_THAT(error_of(words_), HasSubstr("the soft label holds the class \"warm\" twice; expected "
                                          "each class once"));
}

TEST_F(SoftLabels, OtherFilesMayHaveThemOrLabels) {
  train_on_lines(
      "{\"text\":\"red\",\"p\":{\"cold\":0.1,\"warm\":0.9}}\n"
      "{\"text\":\"ice\",\"p\":{\"cold\":0.9,\"warm\":0.1}}\n");
  data_.validation = write("v.jsonl", "{\"text\":\"red\",\"p\":{\"cold\":0.1,\"warm\":0.9}}\n");
  data_.test = write("e.csv", "label,text\ncold,ice\n");
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.validation_file->label(0), 1);
  EXPECT_EQ(loaded.test_file->label(0), 0);
  data_.test = write("n.csv", "kind,text\ncold,ice\n");
  EXPECT_THAT(error_of(words_), HasSubstr("n.csv:1: there is no column label, class"));
}

TEST_F(SoftLabels, ATestFileWithSoftLabelsAloneFitsLabelledTraining) {
  train_on_lines(kTaught);
  data_.test = write("e.jsonl", "{\"text\":\"red\",\"p\":{\"cold\":0.8,\"warm\":0.2}}\n");
  EXPECT_EQ(load(words_).test_file->label(0), 0);
}

TEST_F(SoftLabels, OfOtherFilesAreNotLookedAtBesideALabel) {
  train_on_lines(kTaught);
  data_.test = write("e.jsonl", "{\"text\":\"red\",\"label\":\"warm\",\"p\":{\"lukewarm\":7}}\n");
  EXPECT_EQ(load(words_).test_file->label(0), 2);
  EXPECT_FALSE(load(words_).test_file->targets().soft());
}

}  // namespace
}  // namespace diffuse
