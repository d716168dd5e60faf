#include "diffuse/data/row_parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data/loading.hpp"

namespace diffuse::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// `counts[c]` rows of class c, each of another text.
LabelledRows labelled_rows(const std::vector<int>& counts) {
  LabelledRows rows;
  std::vector<std::string> names;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    names.push_back("class " + std::to_string(c));
    for (int i = 0; i < counts[c]; ++i) {
      rows.labels.push_back(static_cast<std::int32_t>(c));
      rows.texts.push_back(rows.texts.size() * 7919);
    }
  }
  rows.names = Labels(names);
  return rows;
}

std::vector<bool> all_of(const LabelledRows& rows) { return std::vector<bool>(rows.size(), true); }

/// Rows of each class in each fold.
std::map<std::int32_t, std::vector<int>> deal(const LabelledRows& rows,
                                              const std::vector<std::int64_t>& folds, int count) {
  std::map<std::int32_t, std::vector<int>> dealt;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& own = dealt[rows.labels[i]];
    own.resize(static_cast<std::size_t>(count));
    ++own[static_cast<std::size_t>(folds[i])];
  }
  return dealt;
}

TEST(Folds, HaveAboutAsManyRowsOfEachClass) {
  const LabelledRows rows = labelled_rows({50, 23, 4});
  const auto dealt = deal(rows, assign_folds(rows, all_of(rows), 5, 1), 5);
  EXPECT_THAT(dealt.at(0), ElementsAre(10, 10, 10, 10, 10));
  for (const int count : dealt.at(1)) EXPECT_THAT(count, ::testing::AnyOf(4, 5));
  for (const int count : dealt.at(2)) EXPECT_LE(count, 1);
  // What one class leaves uneven the next one evens out.
  std::vector<int> sums(5);
  for (const auto& [label, own] : dealt)
    for (std::size_t fold = 0; fold < 5; ++fold) sums[fold] += own[fold];
  EXPECT_LE(*std::ranges::max_element(sums) - *std::ranges::min_element(sums), 1);
}

TEST(Folds, OfOneSeedAreTheSameAndOfAnotherAreOthers) {
  const LabelledRows rows = labelled_rows({40, 30});
  EXPECT_EQ(assign_folds(rows, all_of(rows), 4, 7), assign_folds(rows, all_of(rows), 4, 7));
  EXPECT_NE(assign_folds(rows, all_of(rows), 4, 7), assign_folds(rows, all_of(rows), 4, 8));
}

TEST(Folds, KeepEqualTextsTogetherWhateverTheirLabels) {
  LabelledRows rows = labelled_rows({30, 30});
  for (std::size_t i = 0; i < 30; i += 2) rows.texts[i + 30] = rows.texts[i];  // of both classes
  const std::vector<std::int64_t> folds = assign_folds(rows, all_of(rows), 3, 1);
  for (std::size_t i = 0; i < 30; i += 2) EXPECT_EQ(folds[i], folds[i + 30]);
  EXPECT_EQ(std::set<std::int32_t>(folds.begin(), folds.end()).size(), 3U);
}

TEST(Folds, LeaveOutWhatIsNotAmongTheRows) {
  const LabelledRows rows = labelled_rows({10, 10});
  std::vector<bool> among = all_of(rows);
  among[3] = among[17] = false;
  const std::vector<std::int64_t> folds = assign_folds(rows, among, 2, 1);
  EXPECT_EQ(folds[3], -1);
  EXPECT_EQ(folds[17], -1);
  EXPECT_EQ(std::ranges::count(folds, -1), 2);
}

TEST(Folds, NeedAsManyTexts) {
  LabelledRows rows = labelled_rows({3, 3});
  std::ranges::fill(rows.texts, 1U);
  EXPECT_EQ(message_of<DataError>([&] { assign_folds(rows, all_of(rows), 2, 1); }),
            "1 different texts cannot make 2 folds; expected at least as many texts as folds");
}

class TestPart : public Loading {
 protected:
  /// Twenty rows of two classes; each text comes twice, the second time in other letters.
  TestPart() {
    std::string csv;
    for (int i = 0; i < 10; ++i) {
      const std::string word = "word" + std::to_string(i);
      csv += std::string(i % 2 == 0 ? "a," : "b,") + word + " only\n";
      csv += std::string(i % 2 == 0 ? "a,  " : "b,  ") + "W" + word.substr(1) + " ONLY\n";
    }
    train_on(csv);
    data_.test_fraction = 0.4;
    data_.validation_fraction = 0;
  }
};

TEST_F(TestPart, IsAStratifiedPartThatTheVocabularyDoesNotKnow) {
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.train.size(), 12U);
  EXPECT_EQ(loaded.test.size(), 8U);
  EXPECT_THAT(count_classes(loaded.test, 2), ElementsAre(4, 4));
  EXPECT_THAT(loaded.facts.class_rows, ElementsAre(6, 6));
  // "word<i>" is in each text; those of the test are unknown.
  EXPECT_EQ(loaded.summary.test.unknown_tokens, 8);
  EXPECT_EQ(loaded.summary.train.unknown_tokens, 0);
  EXPECT_EQ(loaded.tokenizer->vocab_text().find("word9") == std::string::npos,
            load(words_).tokenizer->vocab_text().find("word9") == std::string::npos);
}

TEST_F(TestPart, HasNoTextOfTheTrainingRows) {
  EXPECT_EQ(load(bytes_).summary.test.training_rows, 0);
  const LabelledRows rows = read_labelled_rows(data_);
  const RowParts parts = split_off_test(rows, 0.4, 1);
  for (std::size_t i = 0; i < rows.size(); i += 2) {
    EXPECT_EQ(rows.texts[i], rows.texts[i + 1]);
    EXPECT_EQ(parts.test[i], parts.test[i + 1]);
  }
}

TEST_F(TestPart, RowsAreNumberedAsInTheFile) {
  const TrainingData loaded = load(words_);
  std::set<std::uint64_t> numbers;
  for (const auto* view : {&loaded.train, &loaded.test})
    for (const std::uint32_t row : view->rows) {
      EXPECT_EQ(view->data->number(row), view->data->line(row));  // no header
      numbers.insert(view->data->number(row));
    }
  EXPECT_EQ(numbers.size(), 20U);
}

TEST_F(TestPart, BadRowsAreCountedOnceAndToldOnce) {
  data_.on_error = OnError::skip;
  train_on(read_file(data_.train.first()) + ",no label\n");
  const LogCapture log;
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.summary.train.bad_rows, 1);
  EXPECT_EQ(loaded.train.size() + loaded.test.size(), 20U);
  const std::string text = log.text();
  const std::size_t first = text.find("row left out: ");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("row left out: ", first + 1), std::string::npos);
}

/// 60 rows of texts of their own, the 7th and the 31st of which are bad ones of the training alone.
std::string rows_of_texts(const std::function<std::string(int, bool bad)>& row) {
  std::string rows;
  for (int i = 0; i < 60; ++i) rows += row(i, i == 6 || i == 30) + "\n";
  return rows;
}

// A weight, a soft label beside a label or a class that is none makes a bad row of the training;
// who reads the rows kept aside reads labels and texts, of which nothing is wrong.
TEST_F(TestPart, WhatIsABadRowOfTheTrainingIsInNoPart) {
  struct Case {
    std::string file;
    std::string content;
    void (*set)(DataConfig&);
  };
  const std::vector<Case> cases = {
      {"weights.csv", "label,text,w\n" + rows_of_texts([](int i, bool bad) {
                        return fmt::format("{},text {},{}", i % 2, i, bad ? "oops" : "1");
                      }),
       [](DataConfig& data) { data.weight_column = "w"; }},
      {"classes.csv",
       rows_of_texts([](int i, bool bad) { return fmt::format("{},text {}", bad ? 7 : i % 2, i); }),
       [](DataConfig& data) { data.label_base = 0; }},
      {"soft.jsonl", rows_of_texts([](int i, bool bad) {
         return fmt::format(R"({{"label":"c{}","text":"text {}","p":{{"c0":{},"c1":0.5}}}})", i % 2,
                            i, bad ? 3 : 0.5);
       }),
       [](DataConfig& data) { data.soft_labels = "p"; }}};
  for (const Case& of : cases) {
    DataConfig data = data_;
    data.on_error = OnError::skip;
    data.test_fraction = 0.3;
    data.train = write(of.file, of.content);
    if (of.file == "classes.csv") data.labels = write("names.txt", "c0\nc1\n");
    of.set(data);
    const LogCapture log;
    const TrainingData loaded = load_training_data(data, bytes_, 1, 2);
    EXPECT_EQ(loaded.summary.train.bad_rows, 2) << of.file << log.text();
    EXPECT_EQ(loaded.summary.test.training_rows, 0) << of.file << ": texts of both parts";
    EXPECT_GT(loaded.test.size(), 15U) << of.file;
    EXPECT_EQ(loaded.train.size() + loaded.test.size(), 58U) << of.file;
    std::set<std::uint64_t> numbers;
    for (const auto* view : {&loaded.train, &loaded.test})
      for (const std::uint32_t row : view->rows) numbers.insert(view->data->number(row));
    EXPECT_EQ(numbers.size(), 58U) << of.file;
    EXPECT_FALSE(numbers.contains(7) || numbers.contains(31)) << of.file;
  }
}

TEST_F(TestPart, OfTheFirstRowsAloneEndsWithThem) {
  data_.on_error = OnError::skip;
  data_.weight_column = "3";
  data_.max_rows = 20;
  data_.test_fraction = 0.3;
  train_on(rows_of_texts(
      [](int i, bool bad) { return fmt::format("{},text {},{}", i % 2, i, bad ? "oops" : "1"); }));
  const TrainingData loaded = load(bytes_);
  EXPECT_EQ(loaded.train.size() + loaded.test.size(), 20U);
}

TEST_F(TestPart, IsNotMadeOfTheValidationRows) {
  data_.validation_fraction = 0.34;
  const TrainingData loaded = load(words_);
  EXPECT_EQ(loaded.test.size(), 8U);
  EXPECT_EQ(loaded.validation.size(), 4U);
  EXPECT_EQ(loaded.train.size(), 8U);
}

TEST_F(TestPart, TheNgramsDoNotKnowItEither) {
  NgramConfig ngrams;
  ngrams.max = 1;
  ngrams.min_count = 1;
  const TrainingData loaded = load_training_data(data_, words_, 1, 2, {}, ngrams);
  EXPECT_EQ(loaded.ngrams->size(), 7);  // "only" and six of the ten words
}

TEST_F(TestPart, OfTooFewRowsIsAnError) {
  train_on("a,one\nb,two\n");
  EXPECT_EQ(error_of(words_),
            "data.test_fraction = 0.4 of 2 rows leaves no row for the test: every class keeps one "
            "for training, and equal texts stay together; expected more rows, or "
            "data.test_fraction = 0");
}

TEST_F(TestPart, TheCacheHoldsNoPartOfAFile) {
  load(bytes_);
  data_.test_fraction = 0;
  EXPECT_EQ(load(bytes_).train.size(), 20U);
  data_.test_fraction = 0.4;
  EXPECT_EQ(load(bytes_).train.size(), 12U);
}

TEST_F(TestPart, ClassesWithoutATrainingRowStayClasses) {
  const LabelledRows rows = read_labelled_rows(data_);
  RowParts parts{.train = {}, .test = {}, .names = Labels({"a", "b", "c"})};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    parts.train.push_back(i < 16);
    parts.test.push_back(i >= 16);
  }
  const TrainingData loaded = load_training_data(data_, words_, 1, 2, {}, {}, &parts);
  EXPECT_EQ(loaded.labels.size(), 3);
  EXPECT_EQ(loaded.train.size(), 16U);
  EXPECT_THAT(loaded.facts.class_rows, ElementsAre(8, 8, 0));
}

}  // namespace
}  // namespace diffuse::testing
