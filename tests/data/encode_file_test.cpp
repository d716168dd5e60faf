#include "data/encode_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "data/support.hpp"
#include "diffuse/base/system.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::LetterTokenizer;
using testing::message_of;
using ::testing::Not;
using testing::TempDir;

class EncodeFile : public ::testing::Test {
 protected:
  FileOptions options(const std::string& content, OnError on_error = OnError::error) {
    FileOptions result;
    result.path = dir_.write("a.csv", content);
    result.name = "data.train";
    result.data.on_error = on_error;
    return result;
  }

  std::unique_ptr<EncodedDataset> encode(const FileOptions& file) {
    LabelResolver labels(Labels({"x", "y"}), false, 0);
    return encode_file(file, LetterTokenizer(), labels);
  }

  std::string error_of(const std::string& content) {
    const std::string message = message_of<DataError>([&] { encode(options(content)); });
    const std::string folder = dir_.path().string() + "/";
    EXPECT_EQ(message.substr(0, folder.size()), folder);
    // What leaves such rows out stands at the end of what a bad row is told by.
    const std::string hint = " (--set data.on_error=skip leaves bad rows out)";
    std::string rest = message.substr(folder.size());
    if (rest.ends_with(hint)) rest.resize(rest.size() - hint.size());
    return rest;
  }

  TempDir dir_;
};

TEST_F(EncodeFile, GivesIdsLabelsAndLines) {
  const auto data = encode(options("y,abc\nx,\"z\n\"\ny,b\n"));
  ASSERT_EQ(data->size(), 3u);
  EXPECT_THAT(testing::tokens_of(*data, 0), ElementsAre(1, 2, 3));
  EXPECT_THAT(testing::tokens_of(*data, 1), ElementsAre(26));
  EXPECT_THAT(testing::tokens_of(*data, 2), ElementsAre(2));
  EXPECT_EQ(data->label(0), 1);
  EXPECT_EQ(data->label(1), 0);
  EXPECT_EQ(data->line(2), 4u);
  EXPECT_EQ(data->skipped_rows(), 0u);
}

TEST_F(EncodeFile, ATextWithoutTokensIsUnknown) {
  EXPECT_THAT(testing::tokens_of(*encode(options("x,123\n")), 0), ElementsAre(28));
}

TEST_F(EncodeFile, CutsTextsAndFiles) {
  FileOptions file = options("x,abcdef\ny,b\nx,c\n\"never reached");
  file.max_tokens = 4;
  file.max_rows = 3;
  const auto data = encode(file);
  EXPECT_EQ(data->size(), 3u);
  EXPECT_THAT(testing::tokens_of(*data, 0), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(data->cut_texts().rows, 1);
  EXPECT_EQ(data->cut_texts().tokens, 6);
  EXPECT_EQ(data->cut_texts().unread_tokens, 2);
}

TEST_F(EncodeFile, MarksTellUnknownTextsApart) {
  const auto data = encode(options("x,123\ny,456\nx,123\ny,abc\n"));
  EXPECT_NE(data->mark(0), data->mark(1));
  EXPECT_EQ(data->mark(0), data->mark(2));
  EXPECT_EQ(data->mark(3), 0u);  // all of it is in the vocabulary
}

TEST_F(EncodeFile, DoesNotDependOnThreadsOrBlocks) {
  std::string content;
  for (int i = 0; i < 10000; ++i) {
    content += (i % 2 == 0 ? "x," : "y,") + std::string(1 + i % 7, static_cast<char>('a' + i % 26));
    content += "\n";
  }
  FileOptions file = options(content);
  const auto one = encode(file);
  file.threads = 3;
  const auto three = encode(file);
  ASSERT_EQ(one->size(), 10000u);
  ASSERT_EQ(three->size(), 10000u);
  for (std::size_t i = 0; i < one->size(); ++i) {
    ASSERT_EQ(testing::tokens_of(*one, i), testing::tokens_of(*three, i));
    ASSERT_EQ(testing::tokens_of(*one, i),
              std::vector<std::int32_t>(1 + i % 7, static_cast<std::int32_t>(i % 26 + 1)));
    ASSERT_EQ(three->label(i), static_cast<std::int32_t>(i % 2));
  }
}

/// Holds every call until `count` threads are in one at the same time, or a minute has gone by.
class MeetingTokenizer : public LetterTokenizer {
 public:
  explicit MeetingTokenizer(std::size_t count) : count_(count) {}
  std::int64_t encode(std::string_view text, std::int64_t max_tokens,
                      std::vector<std::int32_t>& ids) const override {
    {
      std::unique_lock lock(mutex_);
      threads_.insert(std::this_thread::get_id());
      changed_.notify_all();
      changed_.wait_for(lock, std::chrono::minutes(1), [&] { return threads_.size() >= count_; });
    }
    return LetterTokenizer::encode(text, max_tokens, ids);
  }
  std::size_t threads() const { return threads_.size(); }

 private:
  std::size_t count_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::set<std::thread::id> threads_;
};

TEST_F(EncodeFile, AllThreadsEncode) {
  std::string content;
  for (int i = 0; i < 1000; ++i) content += "x,abc\n";
  FileOptions file = options(content);
  file.threads = 4;
  const MeetingTokenizer tokenizer(4);
  LabelResolver labels(Labels({"x", "y"}), false, 0);
  EXPECT_EQ(encode_file(file, tokenizer, labels)->size(), 1000U);
  EXPECT_EQ(tokenizer.threads(), 4U);
}

#ifndef __SANITIZE_ADDRESS__  // it keeps what is freed
TEST_F(EncodeFile, ReadingTakesNoMoreThanThePromisedMemory) {
  // 20 million tokens of 200,000 rows: 40 MB of ids.
  std::string row = "x,";
  for (int i = 0; i < 100; ++i) row += static_cast<char>('a' + i % 26);
  row += '\n';
  std::ofstream stream(dir_.path() / "big.csv", std::ios::binary);
  for (int i = 0; i < 200000; ++i) stream << row;
  stream.close();
  FileOptions file = options("x,a\n");
  file.path = dir_.path() / "big.csv";
  file.threads = 2;
  malloc_trim(0);  // what earlier tests left in the heap would not count as growth
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
  const std::int64_t before = peak_rss_bytes();
  const auto data = encode(file);
  const std::int64_t growth = peak_rss_bytes() - before;
  const std::int64_t promised = (2 * data->token_count() + 20 * std::int64_t{200000}) * 3 / 2;
  constexpr std::int64_t kBuffers = std::int64_t{32} << 20;
  EXPECT_EQ(data->token_count(), 20000000);
  EXPECT_LE(growth, promised + kBuffers);
  EXPECT_GE(growth, 2 * data->token_count()) << "the measurement itself";
}
#endif

TEST_F(EncodeFile, MoreLabelsThanAreClassesAreRefusedByFileAndLine) {
  std::string rows;
  for (std::size_t i = 0; i <= LabelResolver::kMaxCollected; ++i)
    rows += "l" + std::to_string(i) + ",word\n";
  LabelResolver labels;
  EXPECT_THAT(message_of<DataError>(
                  [&] { encode_file(options(rows, OnError::skip), LetterTokenizer(), labels); }),
              EndsWith("/a.csv:65537: more than 65536 different labels; expected classes (is "
                       "data.label_column the right one?)"));
}

TEST_F(EncodeFile, EveryBadRowIsAnErrorWithFileLineAndWhatWasExpected) {
  EXPECT_EQ(error_of("x,a\nx,b,c\n"), "a.csv:2: 3 fields; expected 2 as on line 1");
  EXPECT_EQ(error_of("x,a\nz,b\n"), "a.csv:2: unknown label \"z\"; expected one of x, y");
  EXPECT_EQ(error_of("x,a\ny,\"b\n"),
            "a.csv:2: the quote that opens column 2 is never closed; expected a closing quote "
            "(data.quote=none where quotes are plain characters)");
  EXPECT_EQ(error_of("x,a\ny,b\"\n"),
            "a.csv:2: stray quote inside column 2; expected a quote inside a field doubled and the "
            "field in quotes (data.quote=none where quotes are plain characters)");
  EXPECT_THAT(error_of("x,a\ny,\xFF\n"),
              HasSubstr("a.csv:2: invalid UTF-8 in column 2: byte 0xFF behind \"\"; expected UTF-8 "
                        "(`iconv -f WINDOWS-1252 -t UTF-8 "));
  EXPECT_EQ(error_of("x,a\ny,\n"),
            "a.csv:2: empty text; expected at least one character that is not blank");
  EXPECT_EQ(error_of(std::string("x,a\ny,\0\n", 8)),
            "a.csv:2: NUL character in column 2; expected text");
}

TEST_F(EncodeFile, SkippingCountsAndShowsTheFirstFive) {
  const testing::LogCapture log;
  std::string content = "x,a\ny,b\n";
  for (int i = 0; i < 7; ++i) content += "z,c\n";
  const auto data = encode(options(content, OnError::skip));
  EXPECT_EQ(data->size(), 2u);
  EXPECT_EQ(data->skipped_rows(), 7u);
  const std::string lines = log.text();
  EXPECT_THAT(lines, HasSubstr("data.train: row left out: "));
  EXPECT_THAT(lines, HasSubstr("a.csv:3: unknown label \"z\"; expected one of x, y"));
  EXPECT_THAT(lines, HasSubstr("a.csv:7: unknown label"));
  EXPECT_THAT(lines, Not(HasSubstr("a.csv:8:")));
  EXPECT_THAT(lines, HasSubstr("data.train: 7 bad rows left out (data.on_error is \"skip\"); the "
                               "first five are above"));
}

TEST_F(EncodeFile, SkippingAnUnclosedQuoteKeepsTheRowsBehindIt) {
  const testing::LogCapture log;
  const auto data = encode(options("x,a\ny,\"b\nx,c\ny,d\n", OnError::skip));
  EXPECT_EQ(data->size(), 3u);
  EXPECT_EQ(data->skipped_rows(), 1u);
  // The bad row is the second of the file.
  EXPECT_EQ(data->number(0), 1u);
  EXPECT_EQ(data->number(1), 3u);
  EXPECT_EQ(data->number(2), 4u);
  EXPECT_THAT(log.text(), HasSubstr("a.csv:2: the quote that opens column 2 is never closed"));
}

TEST_F(EncodeFile, AFileWithoutAUsableRowIsAnError) {
  EXPECT_EQ(error_of(""), "a.csv: the file is empty; expected at least one row");
  EXPECT_EQ(error_of("label,text\n"), "a.csv: a header and no rows; expected at least one row");
  EXPECT_THAT(message_of<DataError>([&] { encode(options("z,a\nz,b\n", OnError::skip)); }),
              EndsWith("a.csv: no usable rows, 2 bad ones, all of them as line 1: unknown label "
                       "\"z\"; expected one of x, y"));
  EXPECT_THAT(message_of<DataError>([&] { encode(options("z,a\nx,\nu,b\n", OnError::skip)); }),
              EndsWith("3 bad ones, 2 as line 1: unknown label \"z\"; expected one of x, y"));
}

TEST_F(EncodeFile, OfAsManyBadRowsOfSeveralKindsTheFirstIsShown) {
  EXPECT_THAT(message_of<DataError>([&] { encode(options("x,\nz,b\nu,c\ny,\n", OnError::skip)); }),
              HasSubstr("4 bad ones, 2 as line 1: empty text; expected"));
  EXPECT_THAT(message_of<DataError>([&] { encode(options("x,a\"\nx\"\nx\"\n", OnError::skip)); }),
              HasSubstr("3 bad ones, all of them as line 1: stray quote inside column 2"));
}

TEST_F(EncodeFile, DamagedGzipIsAnErrorAlsoWhenSkipping) {
  FileOptions file = options("", OnError::skip);
  const std::string packed = testing::gzip("x,a\ny,b\n");
  file.path = dir_.write("b.csv.gz", packed.substr(0, packed.size() - 5));
  EXPECT_THAT(message_of<DataError>([&] { encode(file); }),
              HasSubstr("the gzip data end too early"));
}

TokenizerConfig words_of_two() {
  TokenizerConfig words;
  words.min_count = 2;
  return words;
}

TEST_F(EncodeFile, TheVocabularyComesFromTheUsableRows) {
  LabelResolver labels(Labels({"x", "y"}), false, 0);
  const auto made = encode_training_file(
      options("x,red blue\ny,red green\nz,green green\n", OnError::skip), words_of_two(), labels);
  EXPECT_THAT(made.tokenizer->vocab_text(), HasSubstr("red\n"));
  EXPECT_THAT(made.tokenizer->vocab_text(), Not(HasSubstr("green\n")));
  EXPECT_THAT(made.tokenizer->vocab_text(), Not(HasSubstr("blue\n")));
  EXPECT_EQ(made.data->skipped_rows(), 1U);
}

void expect_same(const EncodedDataset& one, const EncodedDataset& other) {
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    ASSERT_EQ(testing::tokens_of(one, i), testing::tokens_of(other, i)) << i;
    ASSERT_EQ(one.label(i), other.label(i)) << i;
    ASSERT_EQ(one.line(i), other.line(i)) << i;
    ASSERT_EQ(one.mark(i), other.mark(i)) << i;
    ASSERT_EQ(one.number(i), other.number(i)) << i;
  }
  EXPECT_EQ(one.cut_texts().rows, other.cut_texts().rows);
  EXPECT_EQ(one.cut_texts().tokens, other.cut_texts().tokens);
  EXPECT_EQ(one.cut_texts().unread_tokens, other.cut_texts().unread_tokens);
}

/// Rows of several blocks, bad ones among them; words that come once, texts without a word.
std::string many_rows() {
  std::string content;
  for (int i = 0; i < 10000; ++i) {
    if (i % 1000 == 7) content += "z,not a label\n";
    content += i % 2 == 0 ? "x," : "y,";
    // A sign that is seen, but part of no word.
    content += i % 500 == 3 ? "\u0600" : "word" + std::to_string(i % 700);
    if (i % 3 == 0 && i % 500 != 3)
      content += " rare" + std::to_string(i) + " and the same many times over";
    content += '\n';
  }
  return content;
}

TEST_F(EncodeFile, OnePassGivesWhatTwoPassesGive) {
  for (const int threads : {1, 2, 3}) {
    const testing::LogCapture log;
    FileOptions file = options(many_rows(), OnError::skip);
    file.threads = threads;
    file.max_tokens = 6;
    file.max_rows = 9990;
    LabelResolver labels(Labels({"x", "y"}), false, 0);
    const auto made = encode_training_file(file, words_of_two(), labels);
    EXPECT_EQ(made.data->size(), 9990U);
    expect_same(*made.data, *encode_file(file, *made.tokenizer, labels));
    file.threads = 1;
    EXPECT_EQ(encode_training_file(file, words_of_two(), labels).tokenizer->vocab_text(),
              made.tokenizer->vocab_text());
  }
}

TEST_F(EncodeFile, ABadRowInALaterBlockIsToldByItsLine) {
  std::string content;
  for (int i = 0; i < 6000; ++i) content += "x,abc\n";
  EXPECT_EQ(error_of(content + "q,abc\n" + content),
            "a.csv:6001: unknown label \"q\"; expected one of x, y");
}

TEST_F(EncodeFile, TheHashOfTheFileIsTakenOnTheWay) {
  const testing::LogCapture log;
  for (const bool packed : {false, true}) {
    FileOptions file = options(many_rows(), OnError::skip);
    if (packed) file.path = dir_.write("b.csv.gz", testing::gzip(many_rows()));
    for (const std::int64_t rows : {0, 10}) {  // the rest is read for the hash
      FileHash hash;
      file.hash = &hash;
      file.max_rows = rows;
      encode(file);
      EXPECT_EQ(hash.finish(file.path), hash_file(file.path));
    }
  }
}

}  // namespace
}  // namespace diffuse
