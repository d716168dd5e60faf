#include "diffuse/data/unlabelled.hpp"

#include <gmock/gmock.h>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LetterTokenizer;
using testing::message_of;
using ::testing::Not;
using testing::tokens_of;

class Unlabelled : public ::testing::Test {
 protected:
  Unlabelled() { tokenizer_.min_count = 2; }
  UnlabelledTexts of(std::vector<std::string> files) const {
    return {std::move(files), data_, tokenizer_, 2};
  }
  std::string write(const std::string& name, const std::string& content) {
    return dir_.write(name, content).string();
  }

  testing::TempDir dir_;
  DataConfig data_;
  TokenizerConfig tokenizer_;
};

TEST_F(Unlabelled, GiveTheFrequentWordsOfAllFiles) {
  const auto texts = of({write("a.txt", "red red blue\n\ngreen sun\n"),
                         write("b.csv", "title,label\nblue moon,x\ngreen,y\n")});
  EXPECT_THAT(texts.words(), ElementsAre("[PAD]", "[UNK]", "[MASK]", "blue", "green", "red"));
  tokenizer_.type = TokenizerType::bytes;
  EXPECT_TRUE(of({write("c.txt", "a a\n")}).words().empty()) << "there is nothing to be found";
}

TEST_F(Unlabelled, AreRowsWithoutALabelBehindTheOthers) {
  EncodedDataset rows;
  rows.append(std::vector<std::int32_t>{5}, 1, 7);
  const testing::LogCapture log;
  of({write("a.txt", "ab\n \nb\n123\n"), write("b.jsonl", "{\"text\": \"c\"}\n")})
      .append_to(rows, LetterTokenizer());
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows.label(0), 1);
  EXPECT_THAT(tokens_of(rows, 1), ElementsAre(1, 2));
  EXPECT_THAT(tokens_of(rows, 2), ElementsAre(2));
  EXPECT_THAT(tokens_of(rows, 3), ElementsAre(28)) << "a text without a token is unknown";
  EXPECT_THAT(tokens_of(rows, 4), ElementsAre(3));
  for (std::size_t row = 1; row < rows.size(); ++row) EXPECT_EQ(rows.label(row), -1);
  EXPECT_THAT(log.text(), HasSubstr("a.txt: 3 texts without labels, 1 blank line left out"));
  EXPECT_THAT(log.text(), HasSubstr("b.jsonl: 1 text without labels"));
}

TEST_F(Unlabelled, AreCutAsOthersAre) {
  tokenizer_.max_tokens = 2;
  EncodedDataset rows;
  of({write("a.txt", "abcde\n")}).append_to(rows, LetterTokenizer());
  EXPECT_THAT(tokens_of(rows, 0), ElementsAre(1, 2));
}

TEST_F(Unlabelled, ThatCannotBeReadAreErrors) {
  EncodedDataset rows;
  const auto error_of = [&](const std::string& file) {
    return message_of<DataError>([&] { of({file}).append_to(rows, LetterTokenizer()); });
  };
  EXPECT_THAT(error_of(write("empty.txt", "\n\n")),
              HasSubstr("empty.txt: there is no text in it; expected one a line, or CSV, TSV or "
                        "JSONL by its name"));
  const std::string bad = write("bad.jsonl", "{\"text\": \"a\"}\n{\"text\": 3}\n");
  EXPECT_THAT(error_of(bad), HasSubstr("bad.jsonl:2: "));
  EXPECT_THAT(error_of(bad), HasSubstr("(--set data.on_error=skip leaves it out)"));
  data_.on_error = OnError::skip;
  EncodedDataset kept;
  const testing::LogCapture log;
  of({bad}).append_to(kept, LetterTokenizer());
  EXPECT_EQ(kept.size(), 1U);
  EXPECT_THAT(log.text(), HasSubstr("bad.jsonl: 1 text without labels, 1 bad row left out"));
}

TEST_F(Unlabelled, PixelsAreNoTexts) {
  const std::string pixels = write("p.bin", std::string(1025, 'x'));
  EncodedDataset rows;
  EXPECT_THAT(
      message_of<DataError>([&] { of({pixels}).append_to(rows, LetterTokenizer()); }),
      HasSubstr("p.bin: rows of pixels by its name, which are no texts; expected one a line"));
}

TEST_F(Unlabelled, LinesThatAreNoTextAreNotTakenForBlankOnes) {
  const std::string bad = write("bad.txt", "ab\n\n\xE9t\xE9\n" + std::string("a\0b\n", 4) + "c\n");
  const std::string endless =
      write("endless.txt", std::string(std::size_t{17} << 20, 'x') + "\na\n");
  EncodedDataset rows;
  const auto error_of = [&](const std::string& file) {
    return message_of<DataError>([&] { of({file}).append_to(rows, LetterTokenizer()); });
  };
  EXPECT_THAT(error_of(bad), AllOf(HasSubstr("bad.txt:3: invalid UTF-8: byte 0xE9 at column 1"),
                                   HasSubstr("(--set data.on_error=skip leaves it out)")));
  EXPECT_THAT(error_of(endless),
              HasSubstr("endless.txt:1: the line is longer than 16 MiB; expected a text"));
  EXPECT_THAT(message_of<DataError>([&] { of({bad}).words(); }), HasSubstr("bad.txt:3: "));
  data_.on_error = OnError::skip;
  EncodedDataset kept;
  const testing::LogCapture log;
  EXPECT_FALSE(of({write("twice.txt", "ab ab\n\xE9t\xE9\nab\n")}).words().empty());
  EXPECT_THAT(log.text(), Not(HasSubstr("row left out: "))) << "told once";
  of({bad, endless}).append_to(kept, LetterTokenizer());
  EXPECT_EQ(kept.size(), 3U);
  EXPECT_THAT(log.text(),
              AllOf(HasSubstr("bad.txt: 2 texts without labels, 1 blank line left out, 2 bad rows "
                              "left out"),
                    HasSubstr("pretrain.texts: row left out: " + bad + ":3: invalid UTF-8"),
                    HasSubstr("pretrain.texts: row left out: " + bad + ":4: NUL character"),
                    HasSubstr("pretrain.texts: " + bad +
                              ": 2 bad rows left out (data.on_error is \"skip\")"),
                    HasSubstr("pretrain.texts: " + endless + ": 1 bad row left out")));
  EXPECT_THAT(error_of(write("all.txt", "\xE9\n\n")),
              HasSubstr("all.txt: there is no text in it, but 1 bad row, the first one "));
}

TEST_F(Unlabelled, WordsAreCountedButSpecialTokensAreNot) {
  EncodedDataset rows;
  rows.append(std::vector<std::int32_t>{1, 2, 2, 28, 27}, -1, 1);
  rows.append(std::vector<std::int32_t>{2}, -1, 2);
  rows.append(std::vector<std::int32_t>{3, 3}, -1, 3);
  const std::vector<std::int64_t> counts = count_words({&rows, {0, 1}}, LetterTokenizer());
  EXPECT_EQ(counts.size(), 29U);
  EXPECT_EQ(counts[1], 1);
  EXPECT_EQ(counts[2], 3);
  EXPECT_EQ(counts[3], 0) << "not in the view";
  EXPECT_EQ(counts[27], 0) << "the mask";
  EXPECT_EQ(counts[28], 0) << "unknown words";
}

}  // namespace
}  // namespace diffuse
