// Several files as one data set.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "data/loading.hpp"
#include "diffuse/data/records.hpp"
#include "diffuse/data/row_parts.hpp"
#include "diffuse/data/survey.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kColours;
using testing::LogCapture;

class SeveralFiles : public testing::Loading {
 protected:
  SeveralFiles() { data_.validation_fraction = 0; }
  void train_on_files(const std::vector<std::string>& contents) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < contents.size(); ++i)
      names.push_back(write("part-" + std::to_string(i) + ".csv", contents[i]));
    data_.train = names;
  }
  std::string part(int number) const {
    return (dir_.path() / ("part-" + std::to_string(number) + ".csv")).string();
  }
};

TEST_F(SeveralFiles, AreReadOneAfterTheOtherAsOne) {
  const std::string all = kColours;
  const std::size_t cut = all.find("warm,red sun");
  train_on(all);
  const TrainingData one = load(words_);
  train_on_files({all.substr(0, cut), all.substr(cut)});
  for (const char* how : {"(read)", "(cached)"}) {
    const LogCapture log;
    const TrainingData two = load(words_);
    EXPECT_THAT(log.text(), HasSubstr(how));
    ASSERT_EQ(two.train_file->size(), one.train_file->size());
    for (std::size_t i = 0; i < one.train_file->size(); ++i) {
      EXPECT_EQ(testing::tokens_of(*two.train_file, i), testing::tokens_of(*one.train_file, i));
      EXPECT_EQ(two.train_file->label(i), one.train_file->label(i));
      EXPECT_EQ(two.train_file->number(i), i + 1);
    }
    EXPECT_EQ(two.train_file->line(4), 1u) << "a line is that in its own file";
    EXPECT_EQ(two.tokenizer->vocab_text(), one.tokenizer->vocab_text());
  }
  data_.train = (dir_.path() / "part-*.csv").string();
  const LogCapture log;
  EXPECT_EQ(load(words_).train_file->size(), 8u);
  EXPECT_THAT(log.text(), HasSubstr("(cached)")) << "the same files by another name";
}

TEST_F(SeveralFiles, ColumnsAreThoseOfTheFirstByTheirNames) {
  train_on_files({"text,label\nred sun,warm\nice,cold\n",
                  "id,label,text\n7,warm,fire\n8,cold,snow\n", "label;text\nwarm;a, b\n"});
  data_.train.names.push_back(
      write("lines.jsonl", "{\"label\": \"cold\", \"text\": \"blue\", \"id\": 3}\n"));
  const TrainingData loaded = load(bytes_);
  EXPECT_EQ(loaded.train_file->size(), 6u);
  EXPECT_THAT(loaded.labels.names(), ElementsAre("cold", "warm"));
  const std::vector<std::uint64_t> numbers = {1, 4, 5, 6};
  EXPECT_THAT(read_texts(data_.train, data_, {}, numbers),
              ElementsAre("red sun", "snow", "a, b", "blue"));
}

TEST_F(SeveralFiles, WeightsAreReadOfAll) {
  data_.weight_column = "w";
  train_on_files(
      {"label,text,w\nwarm,red,2\ncold,ice,3\n", "w,label,text\n5,warm,fire\n7,cold,snow\n"});
  const TrainingData named = load(bytes_);
  ASSERT_EQ(named.train_file->size(), 4u);
  for (const auto& [row, weight] : {std::pair(0u, 2.0F), std::pair(2u, 5.0F), std::pair(3u, 7.0F)})
    EXPECT_EQ(named.train_file->targets().weight(row), weight) << row;

  data_.weight_column = "3";
  train_on_files({"warm,red,2\ncold,ice,3\n", "warm,fire,5\ncold,snow,7\n"});
  EXPECT_EQ(load(bytes_).train_file->targets().weight(3), 7.0F) << "by its number";

  train_on_files({"warm,red,2\ncold,ice,3\n", "warm,fire,5\ncold,snow,heavy\n"});
  EXPECT_THAT(error_of(bytes_), HasSubstr(part(1) + ":2: the weight 3 is \"heavy\""));
}

TEST_F(SeveralFiles, SoftLabelsBesideLabelsAreReadOfAll) {
  const auto row = [](const char* label, const char* text) {
    return std::string("{\"label\":\"") + label + "\",\"text\":\"" + text +
           "\",\"p\":{\"warm\":0.75,\"cold\":0.25}}\n";
  };
  data_.soft_labels = "p";
  data_.train =
      std::vector<std::string>{write("a.jsonl", row("warm", "red") + row("cold", "ice")),
                               write("b.jsonl", row("warm", "fire") + row("cold", "snow"))};
  const TrainingData loaded = load(bytes_);
  ASSERT_EQ(loaded.train_file->size(), 4u);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(loaded.train_file->targets().at(i, loaded.train_file->label(i)).shares.size(), 2u)
        << i;
  // A file that has no place for them is refused behind such a one, too.
  data_.train = std::vector<std::string>{write("a.jsonl", row("warm", "red") + row("cold", "ice")),
                                         write("c.csv", "label,text\nwarm,fire\ncold,snow\n")};
  EXPECT_THAT(error_of(bytes_), HasSubstr("c.csv: a csv file has no place for soft labels"));
}

TEST_F(SeveralFiles, WhatIsWrongIsSaidWithItsFileAndLine) {
  train_on_files({"warm,red\ncold,blue\n", "warm,fire\ncold\n"});
  EXPECT_THAT(error_of(words_), HasSubstr(part(1) + ":2: "));
  train_on_files({"label,text\nwarm,red\ncold,blue\n", "label,note\nwarm,fire\n"});
  EXPECT_THAT(error_of(words_), AllOf(HasSubstr(part(1)), HasSubstr("\"text\"")));
  train_on_files({"warm,red\ncold,blue\n", "warm,fire\ncold,\xff\n"});
  data_.on_error = OnError::skip;
  const LogCapture log;
  EXPECT_EQ(load(words_).train_file->size(), 3u);
  EXPECT_THAT(log.text(), HasSubstr("row left out: " + part(1) + ":2: "));
}

TEST_F(SeveralFiles, AnUnknownLabelIsSaidWithItsFile) {
  train_on_files({"warm,red\ncold,blue\n", "warm,fire\nhot,ice\n"});
  data_.labels = write("classes.txt", "warm\ncold\n");
  EXPECT_THAT(error_of(words_), HasSubstr(part(1) + ":2: unknown label \"hot\""));
}

TEST_F(SeveralFiles, AnEmptyOneIsAWarningAndAllEmptyAnError) {
  train_on_files({"", "warm,fire\ncold,ice\n", ""});
  const LogCapture log;
  EXPECT_EQ(load(words_).train_file->size(), 2u);
  EXPECT_THAT(log.text(),
              HasSubstr("data.train: 2 files have no row: " + part(0) + ", " + part(2)));
  train_on_files({"", ""});
  EXPECT_THAT(error_of(words_), HasSubstr(part(0) + ": no rows, nor in the files with it"));
}

TEST_F(SeveralFiles, MissingOnesAndThoseThatComeTwiceAreSaid) {
  train_on_files({"warm,fire\ncold,ice\n"});
  data_.train.names.push_back((dir_.path() / "none.csv").string());
  EXPECT_THAT(error_of(words_), HasSubstr("none.csv"));
  data_.train.names.back() = part(0);
  EXPECT_THAT(error_of(words_), HasSubstr("data.train: " + part(0) + " comes twice"));
  data_.train.names.back() = (dir_.path() / "x*.csv").string();
  EXPECT_THAT(error_of(words_), HasSubstr("x*.csv matches no file"));
}

TEST_F(SeveralFiles, AreOneWhereRowsAreCountedSampledAndSplit) {
  train_on_files({"warm,red\ncold,blue\n", "warm,fire\ncold,ice\nwarm,sun\n"});
  EXPECT_EQ(survey_training_file(data_.train, data_, 100, 1000).rows, 5);
  EXPECT_EQ(read_labelled_rows(data_).size(), 5u);
  data_.max_rows = 3;
  EXPECT_EQ(load(words_).train_file->size(), 3u);
}

TEST_F(SeveralFiles, TheirHashDependsOnTheirOrder) {
  train_on_files({"warm,red\ncold,blue\n", "warm,fire\ncold,ice\n"});
  const std::string first = load(words_).hashes.front().second;
  EXPECT_EQ(load(words_).hashes.front().second, first);
  std::swap(data_.train.names[0], data_.train.names[1]);
  EXPECT_NE(load(words_).hashes.front().second, first);
}

}  // namespace
}  // namespace diffuse
