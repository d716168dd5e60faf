#include "diffuse/data/loading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "data/loading.hpp"
#include "diffuse/data/byte_source.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::expect_equal;
using ::testing::HasSubstr;
using testing::kColours;
using testing::Loading;
using testing::LogCapture;
using testing::message_of;
using ::testing::Not;
using testing::TempDir;

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

TEST_F(Loading, TheHashesAreTheFilesWithAndWithoutACache) {
  train_on(kColours);
  data_.test = write("t.csv", "warm,red\ncold,blue\n");
  data_.max_rows = 4;
  for (const bool cache : {false, true, true}) {
    data_.cache = cache;
    const TrainingData loaded = load(words_);
    ASSERT_EQ(loaded.hashes.size(), 2U);
    EXPECT_EQ(loaded.hashes[0],
              std::pair(std::string("data.train"), hash_file(data_.train.first())));
    EXPECT_EQ(loaded.hashes[1], std::pair(std::string("data.test"), hash_file(data_.test)));
  }
}

TEST_F(Loading, ALabelThatTrainLacksIsABadRowOfValidation) {
  train_on(kColours);
  data_.validation = write("t.csv", "warm,a\ntepid,b\n");
  EXPECT_THAT(error_of(words_),
              HasSubstr("t.csv:2: unknown label \"tepid\"; expected one of cold, warm (--set "
                        "data.on_error=skip leaves bad rows out)"));
  data_.on_error = OnError::skip;
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.validation_file->size(), 1u);
  EXPECT_EQ(loaded.validation_file->skipped_rows(), 1u);
}

TEST_F(Loading, ALabelThatTrainLacksIsWrongInTheTestFile) {
  train_on(kColours);
  data_.test = write("t.csv", "warm,a\ntepid,b\nwrm,b\n");
  for (int time = 1; time <= 2; ++time) {
    const LogCapture log;
    const TrainingData loaded = load(words_);
    ASSERT_EQ(loaded.test.size(), 3u);
    EXPECT_EQ(loaded.test_file->label(1), -1);
    EXPECT_THAT(
        log.text(),
        HasSubstr("data.test: 2 of 3 rows (66.7 %) have a label that the model lacks and "
                  "count as wrong: \"tepid\" 1, \"wrm\" 1 (line 2: unknown label \"tepid\")"));
  }
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

TEST_F(Loading, ReadsOtherFilesByTheColumnsOfTrain) {
  train_on("label,text\nwarm,red\ncold,blue\nwarm,fire\ncold,ice\n");
  data_.test = write("t.csv", "comment,text,label\nblue,red,warm\n");
  const TrainingData loaded = load(words_);
  EXPECT_EQ(testing::tokens_of(*loaded.test_file, 0).size(), 1u);
  data_.test = write("t.csv", "comment,label\nblue,warm\n");
  EXPECT_THAT(error_of(words_), HasSubstr("t.csv:1: there is no column \"text\""));
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

TEST_F(Loading, RefusesAClassThatIsCalledAsWhatStandsInAnAnswersPlace) {
  for (const std::string name : {"#error", "#unsure", "#unknown"}) {
    train_on("a,one\n" + name + ",two\n");
    EXPECT_THAT(error_of(bytes_),
                HasSubstr("train.csv: a class is called \"" + name + "\", which stands for a"));
  }
}

TEST_F(Loading, RefusesSuchANameAmongSeveralLabels) {
  data_.label_separator = "|";
  train_on("label,text\na|b,one\n#unknown|a,two\n");
  EXPECT_THAT(error_of(bytes_), HasSubstr("train.csv: a class is called \"#unknown\""));
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

TEST_F(Loading, LabelsThatAreTextsAreRefused) {
  std::string rows;
  for (int i = 0; i < 12; ++i) rows += "text " + std::to_string(i) + ",spam\n";
  train_on(rows);
  EXPECT_THAT(error_of(words_),
              HasSubstr("12 different labels in 12 rows; is data.label_column the right one? --set "
                        "data.label_column=NAME names another; where the first row holds the names "
                        "of the columns, --set data.header=yes says so"));
}

TEST_F(Loading, ChecksSettingsWithoutReadingData) {
  data_.train = write("a.texts", "");
  data_.labels = write("l.txt", "a\na\n");
  TokenizerConfig pieces;
  pieces.type = TokenizerType::wordpiece;
  pieces.vocab = write("v.txt", "no vocabulary\n");
  const std::string message = message_of<DataError>([&] {
    Config config;
    config.data = data_;
    config.tokenizer = pieces;
    check_data_settings(config);
  });
  EXPECT_THAT(message, HasSubstr("a.texts: the name does not tell the format"));
  EXPECT_THAT(message, HasSubstr("l.txt:2"));
  EXPECT_THAT(message, HasSubstr("v.txt: there is no token [UNK] in 1 lines"));
}

TEST_F(Loading, OnlyWordPiecesReadAVocabulary) {
  train_on(kColours);
  const std::string vocab = load(words_).tokenizer->vocab_text();
  for (TokenizerConfig* tokenizer : {&words_, &bytes_}) {
    tokenizer->vocab = (dir_.path() / "none").string();
    Config config;
    config.data = data_;
    config.tokenizer = *tokenizer;
    EXPECT_NO_THROW(check_data_settings(config));
    EXPECT_EQ(load(*tokenizer).train_file->size(), 8u);
  }
  EXPECT_EQ(load(words_).tokenizer->vocab_text(), vocab);
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
