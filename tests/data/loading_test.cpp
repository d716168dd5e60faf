#include "diffuse/data/loading.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::LogCapture;
using testing::message_of;
using ::testing::Not;
using testing::TempDir;

class Loading : public ::testing::Test {
 protected:
  Loading() {
    data_.cache_dir = (dir_.path() / "cache").string();
    data_.validation_fraction = 0.25;
    words_.min_count = 1;
    bytes_.type = TokenizerType::bytes;
  }

  void train_on(const std::string& content) { data_.train = write("train.csv", content); }
  std::string write(const std::string& name, const std::string& content) {
    return dir_.write(name, content).string();
  }
  TrainingData load(const TokenizerConfig& tokenizer) {
    return load_training_data(data_, tokenizer, 1, 2);
  }
  std::string error_of(const TokenizerConfig& tokenizer) {
    return message_of<DataError>([&] { load(tokenizer); });
  }

  TempDir dir_;
  DataConfig data_;
  TokenizerConfig words_;
  TokenizerConfig bytes_;
};

const char* const kColours =
    "warm,red red\ncold,blue\nwarm,orange red\ncold,blue ice\n"
    "warm,red sun\ncold,snow blue\nwarm,fire\ncold,ice\n";

void expect_equal(const EncodedDataset& a, const EncodedDataset& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(testing::tokens_of(a, i), testing::tokens_of(b, i));
    ASSERT_EQ(a.label(i), b.label(i));
    ASSERT_EQ(a.line(i), b.line(i));
  }
}

TEST_F(Loading, SplitsAndCollectsLabels) {
  train_on(kColours);
  const TrainingData loaded = load(words_);
  EXPECT_THAT(loaded.labels.names(), ElementsAre("cold", "warm"));
  EXPECT_EQ(loaded.train_file->size(), 8u);
  EXPECT_EQ(loaded.train_file->label(0), 1);
  EXPECT_EQ(loaded.train_file->label(1), 0);
  EXPECT_EQ(loaded.train.size(), 6u);
  EXPECT_EQ(loaded.validation.size(), 2u);
  EXPECT_EQ(loaded.validation.data, loaded.train_file.get());
  EXPECT_EQ(loaded.test_file, nullptr);
  EXPECT_EQ(loaded.test.size(), 0u);
  std::vector<std::int32_t> ids;
  loaded.tokenizer->encode("red red", 0, ids);
  EXPECT_EQ(testing::tokens_of(*loaded.train_file, 0), ids);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_NE(ids[0], loaded.tokenizer->unknown_id());
}

TEST_F(Loading, ReadsValidationAndTestByTrainsLabelsAndVocabulary) {
  train_on(kColours);
  data_.validation = write("v.tsv", "warm\tred\n");
  data_.test = write("t.jsonl", "{\"label\":\"cold\",\"text\":\"unheard red\"}\n");
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.train.size(), 8u);
  EXPECT_EQ(loaded.validation.data, loaded.validation_file.get());
  EXPECT_EQ(loaded.validation_file->label(0), 1);
  EXPECT_EQ(loaded.test_file->label(0), 0);
  EXPECT_EQ(testing::tokens_of(*loaded.test_file, 0).front(), loaded.tokenizer->unknown_id());
  EXPECT_EQ(testing::tokens_of(*loaded.test_file, 0).back(),
            testing::tokens_of(*loaded.validation_file, 0).back());
  ASSERT_EQ(loaded.hashes.size(), 3u);
  EXPECT_EQ(loaded.hashes[0].first, "data.train");
  EXPECT_EQ(loaded.hashes[2].first, "data.test");
  EXPECT_EQ(loaded.hashes[0].second.size(), 32u);
}

TEST_F(Loading, ALabelThatTrainLacksIsABadRow) {
  train_on(kColours);
  data_.test = write("t.csv", "warm,a\ntepid,b\n");
  EXPECT_THAT(error_of(words_),
              HasSubstr("t.csv:2: unknown label \"tepid\"; expected one of cold, warm (--set "
                        "data.on_error=skip leaves bad rows out)"));
  data_.on_error = OnError::skip;
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.test_file->size(), 1u);
  EXPECT_EQ(loaded.test_file->skipped_rows(), 1u);
}

TEST_F(Loading, AnErrorInAnotherFileThanTrainSaysHowToDoWithoutIt) {
  train_on(kColours);
  data_.test = write("t.csv", "mild,red\n");
  EXPECT_THAT(error_of(words_),
              EndsWith("(data.test; another file: --test FILE, none: --set data.test=)"));
  data_.validation = data_.test;
  EXPECT_THAT(error_of(words_), EndsWith("(data.validation; another file: --validation FILE, "
                                         "none: --set data.validation=)"));
  train_on("warm,red\nwarm,blue\n");
  EXPECT_THAT(error_of(words_), Not(HasSubstr("another file")));
}

TEST_F(Loading, NumbersCountTheNamesOfTheLabelFile) {
  train_on("2,a\n1,b\n2,c\nWorld,d\n");
  data_.labels = write("classes.txt", "World\nSports\n");
  data_.label_base = 1;
  const TrainingData loaded = load(bytes_);
  EXPECT_THAT(loaded.labels.names(), ElementsAre("World", "Sports"));
  EXPECT_EQ(loaded.train_file->label(0), 1);
  EXPECT_EQ(loaded.train_file->label(1), 0);
  EXPECT_EQ(loaded.train_file->label(3), 0);
  data_.label_base = 0;
  EXPECT_THAT(error_of(bytes_),
              HasSubstr("train.csv:1: unknown label \"2\"; expected one of World, "
                        "Sports, or a number from 0 to 1"));
  EXPECT_THAT(error_of(bytes_), HasSubstr("--set data.labels= takes the labels found in the data"));
}

TEST_F(Loading, KeepsTheColumnsAndTheClassesRows) {
  train_on(kColours);
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.facts.layout.columns_text(), "label 1, text 2");
  EXPECT_THAT(loaded.facts.class_rows, ElementsAre(3, 3));  // without validation's
  const TrainingData cached = load(words_);
  EXPECT_EQ(cached.facts.layout.columns_text(), "label 1, text 2");
  EXPECT_EQ(cached.facts.class_rows, loaded.facts.class_rows);
}

TEST_F(Loading, SaysWhichColumnsAreReadFromTheCacheToo) {
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

TEST_F(Loading, ReadsOtherFilesByTheColumnsOfTrain) {
  train_on("label,text\nwarm,red\ncold,blue\nwarm,fire\ncold,ice\n");
  data_.test = write("t.csv", "comment,text,label\nblue,red,warm\n");
  const TrainingData loaded = load(words_);
  EXPECT_EQ(testing::tokens_of(*loaded.test_file, 0).size(), 1u);
  data_.test = write("t.csv", "comment,label\nblue,warm\n");
  EXPECT_THAT(error_of(words_), HasSubstr("t.csv:1: there is no column \"text\""));
}

TEST_F(Loading, WarnsOfRowsBetweenQuotesEachTime) {
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

TEST_F(Loading, TellsOfAHeaderThatComesAgain) {
  train_on("label,text\nwarm,red\ncold,blue\nlabel,text\nwarm,fire\ncold,ice\n");
  const LogCapture log;
  EXPECT_EQ(load(words_).train_file->size(), 4u);
  EXPECT_THAT(
      log.text(),
      HasSubstr("data.train: the header comes again and is left out there: 1 time (line 4)"));
}

TEST_F(Loading, RowsOfAClassThatTheModelLacksCountWhereThatIsAsked) {
  train_on(kColours);
  const TrainingData model = load(words_);
  const auto evaluate = [&](const std::string& content) {
    return load_labelled_file(write("e.csv", content), data_, words_, *model.tokenizer,
                              model.labels, 1, &model.facts.layout);
  };
  const LogCapture log;
  const auto data = evaluate("warm,red\ntepid,blue\ntepid,red\ncool,ice\n");
  ASSERT_EQ(data->size(), 4u);
  EXPECT_EQ(data->label(0), 1);
  EXPECT_EQ(data->label(1), -1);
  EXPECT_THAT(log.text(), HasSubstr("e.csv: 3 of 4 rows (75 %) have a label that the model lacks "
                                    "and count as wrong: \"tepid\" 2, \"cool\" 1"));
  EXPECT_THAT(message_of<DataError>([&] { evaluate("red,warm\nblue,cold\n"); }),
              HasSubstr("e.csv:1: unknown label \"red\"; expected one of cold, warm; no row has a "
                        "label that the model knows (no header, label is column 1"));
}

TEST_F(Loading, MaxRowsLimitsTrainBeforeTheSplit) {
  train_on(kColours);
  data_.test = write("t.csv", kColours);
  data_.max_rows = 4;
  const TrainingData loaded = load(bytes_);
  EXPECT_EQ(loaded.train.size(), 2u);
  EXPECT_EQ(loaded.validation.size(), 2u);  // each class has a row in each part
  EXPECT_EQ(loaded.test.size(), 8u);
}

TEST_F(Loading, RefusesAClassThatPredictWouldTakeForAnError) {
  train_on("a,one\n#error,two\n");
  EXPECT_THAT(error_of(bytes_), HasSubstr("train.csv: a class is called \"#error\""));
}

TEST_F(Loading, RefusesTrainingSetsWithoutTwoClasses) {
  train_on("a,one\na,two\n");
  EXPECT_THAT(error_of(bytes_), HasSubstr("train.csv: all 2 rows have the label \"a\"; expected at "
                                          "least two classes"));
  data_.labels = write("classes.txt", "a\nb\n");
  EXPECT_THAT(error_of(bytes_), HasSubstr("expected at least two classes"));
  const LogCapture log;
  data_.labels = write("more.txt", "a\nb\nc\n");
  train_on("a,one\nb,two\n");
  load(bytes_);
  EXPECT_THAT(log.text(), HasSubstr("data.train: no row has the label \"c\""));
}

TEST_F(Loading, FindsMissingFilesBeforeItReadsAny) {
  train_on("a,\"broken\n");
  data_.test = (dir_.path() / "missing.csv").string();
  EXPECT_THAT(error_of(bytes_), HasSubstr("data.test: "));
  data_.train = "";
  EXPECT_THAT(message_of<ConfigError>([&] { load(bytes_); }), HasSubstr("data.train is empty"));
}

TEST_F(Loading, ATinySetMayLeaveNothingToValidate) {
  train_on("a,one\nb,two\n");
  data_.validation_fraction = 0.05;
  const LogCapture log;
  EXPECT_EQ(load(bytes_).validation.size(), 0u);
  EXPECT_THAT(log.text(), HasSubstr("leaves no row for validation"));
}

/// `rows` rows of two classes in turn, each of another text.
std::string different_texts(int rows) {
  std::string content;
  for (int i = 0; i < rows; ++i)
    content += (i % 2 == 0 ? "warm,text " : "cold,text ") + std::to_string(i) + "\n";
  return content;
}

TEST_F(Loading, ByItselfAFewRowsChooseNothing) {
  data_.validation_fraction = -1;
  const LogCapture log;
  train_on(different_texts(1999));
  EXPECT_EQ(load(words_).validation.size(), 0u);
  EXPECT_THAT(log.text(), HasSubstr("1,999 rows are too few to choose a checkpoint"));
  train_on(different_texts(2000));
  EXPECT_EQ(load(words_).validation.size(), 100u);
}

TEST_F(Loading, ByItselfManySmallClassesGiveNoRowsAway) {
  data_.validation_fraction = -1;
  std::string content;
  for (int i = 0; i < 2100; ++i) content += fmt::format("c{},text {}\n", i / 3, i);
  train_on(content);
  EXPECT_EQ(load(words_).validation.size(), 0u);
  data_.validation_fraction = 0.05;  // whoever asks for it gets a row of each class
  EXPECT_EQ(load(words_).validation.size(), 700u);
}

TEST_F(Loading, ByItselfFewTextsKeepEveryWord) {
  words_.min_count = 0;
  train_on(different_texts(98));
  EXPECT_EQ(load(words_).summary.train.unknown_tokens, 0);
  train_on(different_texts(100));
  EXPECT_GT(load(words_).summary.train.unknown_tokens, 0);
}

TEST_F(Loading, ClassesWithoutAValidationRowAreNamed) {
  train_on(different_texts(40) + "mild,text mild\n");
  const LogCapture log;
  EXPECT_THAT(load(words_).summary.unvalidated_classes, ElementsAre(1));
  EXPECT_THAT(log.text(), HasSubstr("no validation row has the class \"mild\""));
}

TEST_F(Loading, TestTextsThatStandInTrainingAreToldFromTheCacheToo) {
  train_on(kColours);
  data_.test = write("t.csv", "cold,red red\nwarm,unheard of\nwarm,red sun\n");
  for (int time = 1; time <= 2; ++time) {
    const LogCapture log;
    EXPECT_EQ(load(words_).summary.test.training_rows, 2);
    EXPECT_THAT(log.text(), HasSubstr("data.test: 2 of 3 texts stand in data.train"));
  }
}

TEST_F(Loading, TextsOfSeveralLabelsAreTold) {
  train_on(std::string(kColours) + "cold,fire\n");
  const LogCapture log;
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.summary.train.ambiguous.texts, 1);
  EXPECT_EQ(loaded.summary.train.ambiguous.rows, 2);
  EXPECT_THAT(log.text(), HasSubstr("data.train: 1 text has more than one label"));
}

TEST_F(Loading, TextsOfSeveralLabelsAreToldOfEveryFile) {
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

TEST_F(Loading, CutTextsAreToldFromTheCacheToo) {
  train_on(kColours);
  words_.max_tokens = 1;
  for (int time = 1; time <= 2; ++time) {
    const LogCapture log;
    load(words_);
    EXPECT_THAT(log.text(), HasSubstr("data.train: 5 of 8 texts are longer than "
                                      "tokenizer.max_tokens = 1; 50 % of their tokens are not"));
  }
}

TEST_F(Loading, TheCacheGivesTheSame) {
  train_on(kColours);
  data_.test = write("t.csv", "warm,red\ncold,ice tea\n");
  for (const TokenizerConfig& tokenizer : {words_, bytes_}) {
    const TrainingData first = load(tokenizer);
    const LogCapture log;
    const TrainingData second = load(tokenizer);
    EXPECT_THAT(log.text(), HasSubstr("data.train: 8 rows, "));
    EXPECT_THAT(log.text(), HasSubstr(" tokens (cached)"));
    EXPECT_THAT(log.text(), Not(HasSubstr("(read)")));
    expect_equal(*first.train_file, *second.train_file);
    expect_equal(*first.test_file, *second.test_file);
    EXPECT_EQ(first.labels.names(), second.labels.names());
    EXPECT_EQ(first.tokenizer->vocab_text(), second.tokenizer->vocab_text());
    EXPECT_EQ(first.train.rows, second.train.rows);
  }
}

TEST_F(Loading, WhatChangesTheRowsIsNotTakenFromTheCache) {
  train_on(kColours);
  data_.labels = write("classes.txt", "warm\ncold\n");
  const TrainingData first = load(words_);
  const auto expect_read = [&](const char* what) {
    const LogCapture log;
    load(words_);
    EXPECT_THAT(log.text(), HasSubstr("(read)")) << what;
  };
  data_.max_rows = 6;
  expect_read("max_rows");
  data_.on_error = OnError::skip;
  expect_read("on_error");
  data_.header = HeaderMode::no;
  expect_read("header");
  data_.label_column = "1";
  expect_read("label_column");
  data_.text_columns = {"2"};
  expect_read("text_columns");
  data_.format = FileFormat::csv;  // what the name said before: the same rows
  data_.label_base = 1;
  expect_read("label_base");
  words_.max_tokens = 1;
  expect_read("max_tokens");
  words_.min_count = 2;
  expect_read("min_count");
  words_.lowercase = false;
  expect_read("lowercase");
  data_.labels = write("classes.txt", "cold\nwarm\n");
  expect_read("labels");
  train_on(std::string(kColours) + "cold,more\n");
  expect_read("content");
}

TEST_F(Loading, ADamagedCacheIsMadeAnew) {
  train_on(kColours);
  const TrainingData first = load(words_);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_.cache_dir)) {
    if (!entry.is_regular_file()) continue;
    std::string content = read_file(entry.path());
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
    write_file_atomically(entry.path(), content);
  }
  const auto log_of_load = [&] {
    const LogCapture log;
    expect_equal(*load(words_).train_file, *first.train_file);
    return log.text();
  };
  EXPECT_THAT(log_of_load(), HasSubstr("is not used and made anew"));
  EXPECT_THAT(log_of_load(), HasSubstr("(cached)"));
}

TEST_F(Loading, SkippedRowsAreToldEachTime) {
  train_on(std::string(kColours) + "warm\n");
  data_.on_error = OnError::skip;
  for (int time = 1; time <= 2; ++time) {
    const LogCapture log;
    EXPECT_EQ(load(words_).train_file->skipped_rows(), 1u);
    EXPECT_THAT(log.text(), HasSubstr("train.csv:9: 1 field; expected 2"));
  }
}

TEST_F(Loading, LabelsThatAreTextsAreRefused) {
  std::string rows;
  for (int i = 0; i < 12; ++i) rows += "text " + std::to_string(i) + ",spam\n";
  train_on(rows);
  EXPECT_THAT(error_of(words_),
              HasSubstr("12 different labels in 12 rows; is data.label_column the right one?"));
}

TEST_F(Loading, AHeaderTakenForARowIsWarnedOf) {
  train_on(std::string("v1,v2\n") + kColours);
  const LogCapture log;
  load(words_);
  EXPECT_THAT(log.text(), HasSubstr("no other row has the label \"v1\" of the first"));
  train_on(kColours);
  const LogCapture quiet;
  load(words_);
  EXPECT_THAT(quiet.text(), Not(HasSubstr("no other row")));
}

TEST_F(Loading, ChecksSettingsWithoutReadingData) {
  data_.train = write("a.texts", "");
  data_.labels = write("l.txt", "a\na\n");
  TokenizerConfig pieces;
  pieces.type = TokenizerType::wordpiece;
  pieces.vocab = write("v.txt", "no vocabulary\n");
  const std::string message = message_of<DataError>([&] { check_data_settings(data_, pieces); });
  EXPECT_THAT(message, HasSubstr("a.texts: the name does not tell the format"));
  EXPECT_THAT(message, HasSubstr("l.txt:2"));
  EXPECT_THAT(message, HasSubstr("v.txt: there is no token [UNK] in 1 lines"));
}

TEST_F(Loading, OnlyWordPiecesReadAVocabulary) {
  train_on(kColours);
  const std::string vocab = load(words_).tokenizer->vocab_text();
  for (TokenizerConfig* tokenizer : {&words_, &bytes_}) {
    tokenizer->vocab = (dir_.path() / "none").string();
    EXPECT_NO_THROW(check_data_settings(data_, *tokenizer));
    EXPECT_EQ(load(*tokenizer).train_file->size(), 8u);
  }
  EXPECT_EQ(load(words_).tokenizer->vocab_text(), vocab);
}

TEST_F(Loading, AnUnwritableCacheDoesNoHarm) {
  train_on(kColours);
  data_.cache_dir = write("file", "");
  const LogCapture log;
  EXPECT_EQ(load(words_).train_file->size(), 8u);
  EXPECT_THAT(log.text(), HasSubstr("not kept in the cache"));
}

TEST_F(Loading, ALabelledFileUsesGivenLabels) {
  train_on(kColours);
  const TrainingData loaded = load(words_);
  const std::string path = write("e.csv", "cold,red\nwarm,blue\n");
  const auto file = load_labelled_file(path, data_, words_, *loaded.tokenizer, loaded.labels, 1);
  EXPECT_EQ(file->label(0), 0);
  EXPECT_EQ(file->label(1), 1);
  const LogCapture log;
  expect_equal(*file,
               *load_labelled_file(path, data_, words_, *loaded.tokenizer, loaded.labels, 1));
  EXPECT_THAT(log.text(), HasSubstr("e.csv: 2 rows, 2 tokens (cached)"));
  // Other labels or another vocabulary: other rows.
  const auto other =
      load_labelled_file(path, data_, words_, *loaded.tokenizer, Labels({"warm", "cold"}), 1);
  EXPECT_EQ(other->label(0), 1);
  EXPECT_THAT(message_of<DataError>([&] {
                load_labelled_file(dir_.path() / "no.csv", data_, words_, *loaded.tokenizer,
                                   loaded.labels, 1);
              }),
              EndsWith("no.csv: there is no such file"));
}

TEST(ShippedData, R8HasItsRows) {
  const TempDir dir;
  const std::filesystem::path folder = std::filesystem::path(DIFFUSE_SOURCE_DIR) / "data" / "r8";
  DataConfig data;
  data.train = (folder / "train.csv").string();
  data.test = (folder / "test.csv").string();
  data.labels = (folder / "classes.txt").string();
  data.cache = false;
  TokenizerConfig bytes;
  bytes.type = TokenizerType::bytes;
  bytes.max_tokens = 8;
  const TrainingData loaded = load_training_data(data, bytes, 1, 2);
  EXPECT_EQ(loaded.train_file->size(), 5485u);
  EXPECT_EQ(loaded.test_file->size(), 2189u);
  EXPECT_THAT(loaded.labels.names(), ElementsAre("acq", "crude", "earn", "grain", "interest",
                                                 "money-fx", "ship", "trade"));
  std::vector<int> counts(8);
  for (std::size_t i = 0; i < loaded.test_file->size(); ++i) {
    ++counts[static_cast<std::size_t>(loaded.test_file->label(i))];
  }
  EXPECT_THAT(counts, ElementsAre(696, 121, 1083, 10, 81, 87, 36, 75));
}

}  // namespace
}  // namespace diffuse
