#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/loading.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kColours;
using testing::LogCapture;
using ::testing::Not;

using LoadingNotes = testing::Loading;

/// `rows` rows of two classes in turn, each of another text.
std::string different_texts(int rows) {
  std::string content;
  for (int i = 0; i < rows; ++i)
    content += (i % 2 == 0 ? "warm,text " : "cold,text ") + std::to_string(i) + "\n";
  return content;
}

TEST_F(LoadingNotes, SaysWhichColumnsAreReadFromTheCacheToo) {
  train_on(kColours);
  data_.test = write("t.csv", "cold,ice\n");
  for (const char* how : {"(read)", "(cached)"}) {
    const LogCapture log;
    load(words_);
    EXPECT_THAT(log.text(), HasSubstr(how));
    EXPECT_THAT(log.text(),
                HasSubstr("data.train: no header, label is column 1, text is column 2"));
    EXPECT_THAT(log.text(), HasSubstr("data.test: no header, label is column 1, text is column 2"));
  }
}

TEST_F(LoadingNotes, WarnsOfRowsBetweenQuotesEachTime) {
  data_.train = write("train.tsv", "a\tx\nb\ty\na\t\"open\nb\tz\na\tw\"\nb\tv\na\tu\n");
  data_.validation_fraction = 0;
  for (int i = 0; i < 2; ++i) {
    const LogCapture log;
    EXPECT_EQ(load(words_).train.size(), 5u);
    EXPECT_THAT(
        log.text(),
        HasSubstr("data.train: 2 lines between quotes look like rows of their own: 28.6 % of "
                  "the file's rows may be lost in the texts of 1 row (lines 3 to 5); where "
                  "quotes are plain characters, --set data.quote=none reads them"));
  }
  data_.quote = QuoteMode::none;
  EXPECT_EQ(load(words_).train.size(), 7u);
}

TEST_F(LoadingNotes, TellsOfAHeaderThatComesAgain) {
  train_on("label,text\nwarm,red\ncold,blue\nlabel,text\nwarm,fire\ncold,ice\n");
  const LogCapture log;
  EXPECT_EQ(load(words_).train_file->size(), 4u);
  EXPECT_THAT(
      log.text(),
      HasSubstr("data.train: the header comes again and is left out there: 1 time (line 4)"));
}

TEST_F(LoadingNotes, ATinySetMayLeaveNothingToValidate) {
  train_on("a,one\nb,two\n");
  data_.validation_fraction = 0.05;
  const LogCapture log;
  EXPECT_EQ(load(bytes_).validation.size(), 0u);
  EXPECT_THAT(log.text(), HasSubstr("leaves no row for validation"));
}

TEST_F(LoadingNotes, ByItselfAFewRowsChooseNothing) {
  data_.validation_fraction = -1;
  const LogCapture log;
  train_on(different_texts(1999));
  EXPECT_EQ(load(words_).validation.size(), 0u);
  EXPECT_THAT(log.text(), HasSubstr("1,999 rows are too few to choose a checkpoint"));
  train_on(different_texts(2000));
  EXPECT_EQ(load(words_).validation.size(), 100u);
}

TEST_F(LoadingNotes, ByItselfManySmallClassesGiveNoRowsAway) {
  data_.validation_fraction = -1;
  std::string content;
  for (int i = 0; i < 2100; ++i) content += fmt::format("c{},text {}\n", i / 3, i);
  train_on(content);
  EXPECT_EQ(load(words_).validation.size(), 0u);
  data_.validation_fraction = 0.05;  // whoever asks for it gets a row of each class
  EXPECT_EQ(load(words_).validation.size(), 700u);
}

TEST_F(LoadingNotes, ByItselfFewTextsKeepEveryWord) {
  words_.min_count = 0;
  train_on(different_texts(98));
  EXPECT_EQ(load(words_).summary.train.unknown_tokens, 0);
  train_on(different_texts(100));
  EXPECT_GT(load(words_).summary.train.unknown_tokens, 0);
}

TEST_F(LoadingNotes, ClassesWithoutAValidationRowAreNamed) {
  train_on(different_texts(40) + "mild,text mild\n");
  const LogCapture log;
  EXPECT_THAT(load(words_).summary.unvalidated_classes, ElementsAre(1));
  EXPECT_THAT(log.text(), HasSubstr("no validation row has the class \"mild\""));
}

TEST_F(LoadingNotes, TestTextsThatStandInTrainingAreToldFromTheCacheToo) {
  train_on(kColours);
  data_.test = write("t.csv", "cold,red red\nwarm,unheard of\nwarm,red sun\n");
  for (int time = 1; time <= 2; ++time) {
    const LogCapture log;
    const TrainingData loaded = load(words_);
    EXPECT_EQ(loaded.summary.test.training_rows, 2);
    EXPECT_EQ(count_known_texts(*loaded.test_file, loaded.facts.different_texts), 2);
    EXPECT_THAT(log.text(), HasSubstr("data.test: 2 of 3 texts stand in data.train"));
  }
}

TEST_F(LoadingNotes, TextsOfSeveralLabelsAreTold) {
  train_on(std::string(kColours) + "cold,fire\n");
  const LogCapture log;
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.summary.train.ambiguous.texts, 1);
  EXPECT_EQ(loaded.summary.train.ambiguous.rows, 2);
  EXPECT_THAT(log.text(), HasSubstr("data.train: 1 text has more than one label"));
}

TEST_F(LoadingNotes, TextsOfSeveralLabelsAreToldOfEveryFile) {
  train_on(kColours);
  data_.validation = write("v.csv", "cold,new ice\nwarm,new ice\nwarm,ice\n");
  data_.test = write("t.csv", "cold,a\nwarm,a\nwarm,b\ncold,b\n");
  const LogCapture log;
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.summary.validation.ambiguous.texts, 1);
  EXPECT_EQ(loaded.summary.validation.relabelled_rows, 1);
  EXPECT_EQ(loaded.summary.test.ambiguous.rows, 4);
  EXPECT_THAT(log.text(), HasSubstr("data.validation: 1 text has more than one label (2 of its"));
  EXPECT_THAT(log.text(), HasSubstr("data.validation: 1 of 3 texts stand in data.train, too, 1 of "
                                    "them with another label there"));
  EXPECT_THAT(log.text(), HasSubstr("data.test: 2 texts have more than one label (4 of its rows)"));
}

TEST_F(LoadingNotes, CutTextsAreToldFromTheCacheToo) {
  train_on(kColours);
  words_.max_tokens = 1;
  for (int time = 1; time <= 2; ++time) {
    const LogCapture log;
    load(words_);
    EXPECT_THAT(log.text(), HasSubstr("data.train: 5 of 8 texts are longer than "
                                      "tokenizer.max_tokens = 1; 50 % of their tokens are not"));
  }
}

TEST_F(LoadingNotes, AHeaderTakenForARowIsWarnedOf) {
  train_on(std::string("v1,v2\n") + kColours);
  const LogCapture log;
  load(words_);
  EXPECT_THAT(log.text(), HasSubstr("no other row has the label \"v1\" of the first"));
  train_on(kColours);
  const LogCapture quiet;
  load(words_);
  EXPECT_THAT(quiet.text(), Not(HasSubstr("no other row")));
}

}  // namespace
}  // namespace diffuse
