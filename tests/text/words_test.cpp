#include "words.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plain_words.hpp"
#include "support.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using testing::data_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_of;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::TempDir;

std::vector<std::string> split(std::string_view text, bool lowercase = true) {
  std::vector<std::string> words;
  const auto emit = [&words](std::string_view word) { words.emplace_back(word); };
  PlainWordSplitter splitter(lowercase, emit);
  splitter.split(text);
  return words;
}

TokenizerConfig words_config(std::int64_t min_count) {
  TokenizerConfig config;
  config.type = TokenizerType::words;
  config.min_count = min_count;
  return config;
}

std::unique_ptr<Tokenizer> build(const TokenizerConfig& config, std::vector<std::string> texts,
                                 int threads = 1) {
  VocabularyBuilder builder(config);
  builder.add(texts, threads);
  return builder.build();
}

TEST(WordSplitting, WordsNumbersAndSinglePunctuationMarks) {
  EXPECT_THAT(split("The U.S. won 3-0, didn't it?!"),
              ElementsAre("the", "u", ".", "s", ".", "won", "3", "-", "0", ",", "didn", "'", "t",
                          "it", "?", "!"));
  EXPECT_THAT(split("4th  b2b\ta_b\n"), ElementsAre("4th", "b2b", "a", "_", "b"));
  EXPECT_THAT(split(" \t\r\n"), IsEmpty());
}

TEST(WordSplitting, LowerCasesBeyondAscii) {
  EXPECT_THAT(split("ÉCOLE Ωμέγα ЖИЗНЬ"), ElementsAre("école", "ωμέγα", "жизнь"));
  EXPECT_THAT(split("ÉCOLE Ab", false), ElementsAre("ÉCOLE", "Ab"));
}

TEST(WordSplitting, MarksBelongToTheirWord) {
  EXPECT_THAT(split("cafe\u0301s हिन्दी"), ElementsAre("cafe\u0301s", "हिन्दी"));
}

TEST(WordSplitting, IdeographsSymbolsAndEmojiStandAlone) {
  EXPECT_THAT(split("中文ab。€5 😀x"), ElementsAre("中", "文", "ab", "。", "€", "5", "😀", "x"));
  EXPECT_THAT(split("カタ 한국어"), ElementsAre("カタ", "한국어"));
}

TEST(WordSplitting, InvisibleCharacters) {
  EXPECT_THAT(split("co\u00ADop\u200Der"), ElementsAre("cooper"));  // soft hyphen, joiner
  EXPECT_THAT(split("a\u200Bb\u00A0c\u3000d"), ElementsAre("a", "b", "c", "d"));
  const std::string controls = std::string("a\0b\x1F", 4) + "c\u0085" + "d";
  EXPECT_THAT(split(controls), ElementsAre("a", "b", "c", "d"));
}

TEST(WordSplitting, InvalidUtf8IsAReplacementCharacter) {
  EXPECT_THAT(split("a\xFF"
                    "b"),
              ElementsAre("a", "\uFFFD", "b"));
}

TEST(WordVocabulary, MostFrequentFirstTiesInByteOrderRareOnesLeftOut) {
  const auto tokenizer =
      build(words_config(2), {"pear Apple apple fig", "fig ; apple", "zoo pear ; once é é"});
  EXPECT_EQ(tokenizer->vocab_text(), "[PAD]\n[UNK]\n[MASK]\napple\n;\nfig\npear\né\n");
  EXPECT_EQ(tokenizer->vocab_size(), 8);
  EXPECT_THAT(ids_of(*tokenizer, "Fig; once"), ElementsAre(5, 4, tokenizer->unknown_id()));
  EXPECT_EQ(tokenizer->unknown_id(), 1);
  EXPECT_EQ(tokenizer->mask_id(), 2);
}

TEST(WordVocabulary, DependsNeitherOnThreadsNorOnTheOrderOfTexts) {
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    texts.push_back(fmt::format("w{} v{} common", i % 37, i % 11));
  }
  const std::string expected = build(words_config(2), texts)->vocab_text();
  EXPECT_EQ(build(words_config(2), texts, 4)->vocab_text(), expected);
  EXPECT_EQ(build(words_config(2), {texts.rbegin(), texts.rend()}, 3)->vocab_text(), expected);

  VocabularyBuilder in_parts(words_config(2));
  in_parts.add(std::span(texts).first(123), 2);
  in_parts.add(std::span(texts).subspan(123), 2);
  EXPECT_EQ(in_parts.build()->vocab_text(), expected);
}

TEST(WordVocabulary, KeepsCaseWhenTold) {
  TokenizerConfig config = words_config(1);
  config.lowercase = false;
  EXPECT_EQ(build(config, {"B b a"})->vocab_text(), "[PAD]\n[UNK]\n[MASK]\nB\na\nb\n");
}

TEST(WordVocabulary, SpecialTokensInTextAreOrdinaryCharacters) {
  const auto tokenizer = build(words_config(1), {"[ mask ]"});
  EXPECT_THAT(ids_of(*tokenizer, "[MASK]"), ElementsAre(3, 5, 4));
}

TEST(WordVocabulary, ReadsBackTheSame) {
  const auto tokenizer = build(words_config(1), {"Some words, é 中 … and more words"});
  const TempDir dir;
  const auto read =
      load_tokenizer(words_config(1), dir.write("vocab.txt", tokenizer->vocab_text()));
  EXPECT_EQ(read->vocab_text(), tokenizer->vocab_text());
  EXPECT_EQ(read->vocab_size(), tokenizer->vocab_size());
  const std::string text = "words … and 中 É unknown";
  EXPECT_EQ(ids_of(*read, text), ids_of(*tokenizer, text));
}

TEST(WordVocabulary, NothingFrequentEnoughIsAnError) {
  EXPECT_EQ(data_error([] { build(words_config(2), {"all words differ"}); }),
            "no word comes 2 times or more in the training texts (3 different words were seen), so "
            "the vocabulary would be empty; lower tokenizer.min_count or give more text");
}

TEST(WordVocabulary, AnotherTokenizersFileIsRefused) {
  const TempDir dir;
  const auto error_of = [&dir](std::string_view content) {
    const auto path = dir.write("vocab.txt", content);
    const std::string message = data_error([&path] { load_tokenizer(words_config(1), path); });
    EXPECT_THAT(message, StartsWith(path.string() + ":"));
    return message.substr(path.string().size());
  };
  EXPECT_THAT(error_of("[PAD]\n[unused0]\n[UNK]\n"),
              StartsWith(":2: expected [UNK] here, found '[unused0]'; a 'words' vocabulary"));
  EXPECT_THAT(error_of("[PAD]\n[UNK]\n"),
              StartsWith(":3: expected [MASK] here, the file ends before"));
  EXPECT_THAT(error_of(""), HasSubstr("is empty; expected one token a line"));
}

TEST(Words, StopsAtTheLimit) {
  const auto tokenizer = build(words_config(1), {"a b c"});
  EXPECT_THAT(ids_of(*tokenizer, "c b a", 2), ElementsAre(5, 4));
  EXPECT_THAT(ids_of(*tokenizer, "c b a", 3), ElementsAre(5, 4, 3));
  EXPECT_THAT(ids_of(*tokenizer, "", 3), IsEmpty());
}

}  // namespace
}  // namespace diffuse
