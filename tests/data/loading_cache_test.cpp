#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/loading.hpp"

namespace diffuse {
namespace {

using testing::expect_equal;
using ::testing::HasSubstr;
using testing::kColours;
using testing::LogCapture;
using ::testing::Not;

using LoadingCache = testing::Loading;

TEST_F(LoadingCache, TheCacheGivesTheSame) {
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

TEST_F(LoadingCache, WhatChangesTheRowsIsNotTakenFromTheCache) {
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

TEST_F(LoadingCache, ADamagedCacheIsMadeAnew) {
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

TEST_F(LoadingCache, SkippedRowsAreToldEachTime) {
  train_on(std::string(kColours) + "warm\n");
  data_.on_error = OnError::skip;
  for (int time = 1; time <= 2; ++time) {
    const LogCapture log;
    EXPECT_EQ(load(words_).train_file->skipped_rows(), 1u);
    EXPECT_THAT(log.text(), HasSubstr("train.csv:9: 1 field; expected 2"));
  }
}

TEST_F(LoadingCache, AnUnwritableCacheDoesNoHarm) {
  train_on(kColours);
  data_.cache_dir = write("file", "");
  const LogCapture log;
  EXPECT_EQ(load(words_).train_file->size(), 8u);
  EXPECT_THAT(log.text(), HasSubstr("not kept in the cache"));
}

}  // namespace
}  // namespace diffuse
