#include "wordpiece.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

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

const std::filesystem::path kBertVocabulary =
    std::filesystem::path(DIFFUSE_SOURCE_DIR) / "data/bert-base-uncased/vocab.txt";

TokenizerConfig wordpiece_config(bool lowercase = true) {
  TokenizerConfig config;
  config.type = TokenizerType::wordpiece;
  config.lowercase = lowercase;
  return config;
}

/// A tokenizer with the tokens [UNK] = 0, [MASK] = 1 and then `tokens`.
std::unique_ptr<Tokenizer> small(const std::vector<std::string>& tokens, bool lowercase = true) {
  std::string content = "[UNK]\n[MASK]\n";
  for (const std::string& token : tokens) content += token + "\n";
  const TempDir dir;
  return load_tokenizer(wordpiece_config(lowercase), dir.write("vocab.txt", content));
}

const nlohmann::json& golden() {
  static const auto parsed = [] {
    std::ifstream file(std::filesystem::path(DIFFUSE_TEST_DATA) / "golden_wordpiece.json");
    return nlohmann::json::parse(file);
  }();
  return parsed;
}

void expect_golden(const Tokenizer& tokenizer, const nlohmann::json& cases) {
  ASSERT_GT(cases.size(), 50u);
  for (const auto& entry : cases) {
    const auto text = entry.at("text").get<std::string>();
    EXPECT_EQ(ids_of(tokenizer, text), entry.at("ids").get<std::vector<std::int32_t>>()) << text;
  }
}

TEST(WordPiece, SpecialTokensStandAroundATextAndCount) {
  TokenizerConfig config = wordpiece_config();
  config.special_tokens = true;
  const auto bert = load_tokenizer(config, kBertVocabulary);
  const auto ids = [&](std::string_view text, std::int64_t max_tokens) {
    std::vector<std::int32_t> found = {7};  // of a text before
    bert->encode(text, max_tokens, found);
    return found;
  };
  // What the tokenizers package gives with add_special_tokens and truncation.
  EXPECT_THAT(ids("hello world", 0), ElementsAre(7, 101, 7592, 2088, 102));
  EXPECT_THAT(ids("hello world", 4), ElementsAre(7, 101, 7592, 2088, 102));
  EXPECT_THAT(ids("hello world", 3), ElementsAre(7, 101, 7592, 102));
  EXPECT_THAT(ids("", 3), ElementsAre(7, 101, 102));
  EXPECT_EQ(bert->pad_id(), 0);
  std::vector<std::int32_t> found;
  EXPECT_EQ(bert->encode("hello world", 3, found), 4) << "with both, without the limit";
}

TEST(WordPiece, SpecialTokensMustBeInTheVocabulary) {
  TokenizerConfig config = wordpiece_config();
  config.special_tokens = true;
  const TempDir dir;
  const auto path = dir.write("vocab.txt", "[UNK]\n[MASK]\n[CLS]\n");
  EXPECT_THAT(data_error([&] { load_tokenizer(config, path); }),
              HasSubstr("there is no token [SEP] in 3 lines; a WordPiece vocabulary needs [UNK] "
                        "and [MASK], and with tokenizer.special_tokens [CLS] and [SEP]"));
  const auto padded = dir.write("padded.txt", "[UNK]\n[MASK]\n[PAD]\n");
  EXPECT_EQ(load_tokenizer(wordpiece_config(), padded)->pad_id(), 2);
}

TEST(WordPieceGolden, UncasedIdsEqualThePackages) {
  expect_golden(*load_tokenizer(wordpiece_config(), kBertVocabulary), golden().at("uncased"));
}

TEST(WordPieceGolden, CasedIdsEqualThePackages) {
  std::string content;
  for (const auto& token : golden().at("cased_vocabulary")) {
    content += token.get<std::string>() + "\n";
  }
  const TempDir dir;
  const auto tokenizer = load_tokenizer(wordpiece_config(false), dir.write("v.txt", content));
  expect_golden(*tokenizer, golden().at("cased"));
}

TEST(WordPiece, SpecialIdsOfBert) {
  const auto tokenizer = load_tokenizer(wordpiece_config(), kBertVocabulary);
  EXPECT_EQ(tokenizer->vocab_size(), 30522);
  EXPECT_EQ(tokenizer->unknown_id(), 100);
  EXPECT_EQ(tokenizer->mask_id(), 103);
}

TEST(WordPiece, LongestMatchFromTheLeft) {
  const auto tokenizer = small({"un", "una", "##ff", "##aff", "##able", "##a", "##b"});
  EXPECT_THAT(ids_of(*tokenizer, "unaffable"), ElementsAre(3, 4, 6));
  EXPECT_THAT(ids_of(*tokenizer, "unab"), ElementsAre(3, 8));
}

TEST(WordPiece, AWordThatCannotBeCutIsOneUnknown) {
  const auto tokenizer = small({"un", "##ff", "ff", "."});
  EXPECT_THAT(ids_of(*tokenizer, "unffx ff."), ElementsAre(0, 4, 5));
  EXPECT_THAT(ids_of(*tokenizer, "xun"), ElementsAre(0));
}

TEST(WordPiece, HundredCodePointsAreTheLongestWord) {
  const auto tokenizer = small({"é", "##é", "😀", "##😀"}, false);
  const auto repeated = [](std::string_view text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += text;
    return result;
  };
  EXPECT_EQ(ids_of(*tokenizer, repeated("é", 100)).size(), 100u);
  EXPECT_THAT(ids_of(*tokenizer, repeated("é", 101)), ElementsAre(0));
  EXPECT_EQ(ids_of(*tokenizer, repeated("😀", 100)).size(), 100u);
  EXPECT_THAT(ids_of(*tokenizer, repeated("😀", 101)), ElementsAre(0));
}

TEST(WordPiece, InvalidBytesVanishLikeTheReplacementCharacter) {
  const auto tokenizer = small({"ab", "##c"});
  EXPECT_THAT(ids_of(*tokenizer,
                     "a\xFF"
                     "b\xE4\xB8"
                     "c \x80"),
              ElementsAre(2, 3));
  EXPECT_THAT(ids_of(*tokenizer, "a\uFFFDbc"), ElementsAre(2, 3));
  EXPECT_THAT(ids_of(*tokenizer, std::string_view("a\0b", 3)), ElementsAre(2));
}

TEST(WordPiece, StopsAtTheLimitInsideAWordAndAppends) {
  const auto tokenizer = small({"a", "##b", "##c"});
  const std::vector<std::int32_t> whole = ids_of(*tokenizer, "abc abc");
  ASSERT_EQ(whole.size(), 6u);
  for (std::int64_t limit = 1; limit <= 7; ++limit) {
    std::vector<std::int32_t> ids = {42};
    tokenizer->encode("abc abc", limit, ids);
    const auto count = std::min<std::int64_t>(limit, 6);
    ASSERT_EQ(ids.size(), static_cast<std::size_t>(count + 1)) << limit;
    EXPECT_TRUE(std::equal(ids.begin() + 1, ids.end(), whole.begin())) << limit;
  }
}

TEST(WordPiece, ATextWithoutTokensGivesNoIds) {
  const auto tokenizer = small({"a"});
  EXPECT_THAT(ids_of(*tokenizer, ""), IsEmpty());
  EXPECT_THAT(ids_of(*tokenizer, " \u200B\u00A0\x01"), IsEmpty());
}

TEST(WordPieceVocabulary, CrlfFilesReadTheSame) {
  const TempDir dir;
  const auto tokenizer =
      load_tokenizer(wordpiece_config(), dir.write("v.txt", "[UNK]\r\n[MASK]\r\na\r\n##b"));
  EXPECT_THAT(ids_of(*tokenizer, "ab"), ElementsAre(2, 3));
  EXPECT_EQ(tokenizer->vocab_text(), "[UNK]\n[MASK]\na\n##b\n");
}

TEST(WordPieceVocabulary, TextReadsBackTheSame) {
  const auto tokenizer = load_tokenizer(wordpiece_config(), kBertVocabulary);
  const TempDir dir;
  const auto again =
      load_tokenizer(wordpiece_config(), dir.write("vocab.txt", tokenizer->vocab_text()));
  EXPECT_EQ(again->vocab_text(), tokenizer->vocab_text());
  EXPECT_EQ(again->vocab_size(), 30522);
}

TEST(WordPieceVocabulary, FilesThatAreNoneAreRefused) {
  const TempDir dir;
  const auto error_of = [&dir](std::string_view content) {
    const auto path = dir.write("vocab.txt", content);
    const std::string message = data_error([&path] { load_tokenizer(wordpiece_config(), path); });
    EXPECT_THAT(message, StartsWith(path.string() + ":"));
    return message.substr(path.string().size());
  };
  EXPECT_EQ(error_of(""), ": is empty; expected one token a line");
  EXPECT_THAT(error_of("[MASK]\na\n"), StartsWith(": there is no token [UNK] in 2 lines; a "));
  EXPECT_THAT(error_of("[UNK]\na\n"), StartsWith(": there is no token [MASK] in 2 lines; a "));
  EXPECT_EQ(error_of("[UNK]\n[MASK]\n\na\n"), ":3: the line is empty; expected one token a line");
  EXPECT_EQ(error_of("[UNK]\n[MASK]\na\nb\na\n"),
            ":5: token 'a' is on line 3 already; each may come only once");
  EXPECT_EQ(error_of("[UNK]\n[MASK]\na\x81\n"),
            ":3: byte 2 of the line is not valid UTF-8; expected one token a line in UTF-8");
}

TEST(WordPieceVocabulary, MissingFileIsADataError) {
  EXPECT_THAT(data_error([] { load_tokenizer(wordpiece_config(), "/no/such/vocab.txt"); }),
              StartsWith("/no/such/vocab.txt: there is no such file; expected a file with one "));
}

}  // namespace
}  // namespace diffuse
