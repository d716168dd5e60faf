// Where tokens and n-grams stand in the text as it was written.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "diffuse/text/ngrams.hpp"
#include "diffuse/text/text_span.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "support.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using testing::ids_of;
using ::testing::IsEmpty;
using testing::words_of;

const std::filesystem::path kVocabulary =
    std::filesystem::path(DIFFUSE_SOURCE_DIR) / "data/bert-base-uncased/vocab.txt";

std::vector<std::string> nasty_texts() {
  std::ifstream file(std::filesystem::path(DIFFUSE_TEST_DATA) / "nasty_texts.json");
  std::vector<std::string> texts;
  for (const auto& text : nlohmann::json::parse(file)) texts.push_back(text.get<std::string>());
  texts.emplace_back("ill\xFF-formed \xC3 \xE2\x82 caf\xC3\xA9");
  return texts;
}

TokenizerConfig config_of(TokenizerType type, bool special_tokens = false) {
  TokenizerConfig config;
  config.type = type;
  config.special_tokens = special_tokens;
  return config;
}

std::vector<std::string> parts_of(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> parts;
  for (const PlacedToken& token : tokenizer.encode_placed(text, 0))
    parts.emplace_back(token.place.of(text));
  return parts;
}

/// The tokens of all nasty texts are those of `encode`, in places that rise and are in the text.
void expect_same_tokens(const Tokenizer& tokenizer) {
  for (const std::string& text : nasty_texts()) {
    for (const std::int64_t most : {0, 2, 5}) {
      std::vector<std::int32_t> ids;
      std::size_t before = 0;
      for (const PlacedToken& token : tokenizer.encode_placed(text, most)) {
        ids.push_back(token.id);
        EXPECT_LE(token.place.begin, token.place.end) << text;
        EXPECT_LE(token.place.end, text.size()) << text;
        EXPECT_LE(before, token.place.begin) << text;
        EXPECT_EQ(token.place.empty(), token.word < 0) << text;
        before = token.place.begin;
      }
      EXPECT_EQ(ids, ids_of(tokenizer, text, most)) << text;
    }
  }
}

TEST(TokenPlaces, AreOfTheTokensThatEncodeGives) {
  expect_same_tokens(*words_of(config_of(TokenizerType::words), nasty_texts()));
  expect_same_tokens(*load_tokenizer(config_of(TokenizerType::bytes), ""));
  for (const bool special_tokens : {false, true})
    expect_same_tokens(
        *load_tokenizer(config_of(TokenizerType::wordpiece, special_tokens), kVocabulary));
}

TEST(TokenPlaces, OfAWordHoldWhatGivesThatWordAgain) {
  const auto tokenizer = words_of(config_of(TokenizerType::words), nasty_texts());
  for (const std::string& text : nasty_texts()) {
    for (const PlacedToken& token : tokenizer->encode_placed(text, 0))
      EXPECT_THAT(ids_of(*tokenizer, token.place.of(text)), ::testing::Contains(token.id))
          << text << ": " << token.place.of(text);
  }
}

TEST(TokenPlaces, AreThoseOfTheTextAsItWasWritten) {
  const auto tokenizer = words_of(config_of(TokenizerType::words), {"a"});
  // The second é is e with a mark; the soft hyphen and the variation selector are not read.
  EXPECT_THAT(parts_of(*tokenizer, "CAFÉ cafe\u0301s, so\u00ADft ☎\uFE0F 你好 👩‍🚀!"),
              ElementsAre("CAFÉ", "cafe\u0301s", ",", "so\u00ADft", "☎\uFE0F", "你", "好",
                          "👩\u200D", "🚀", "!"));
  EXPECT_THAT(parts_of(*tokenizer, "q\u0307\u0323x y \uAC00 \u1100\u1161\u11A8z"),
              ElementsAre("q\u0307\u0323x", "y", "\uAC00", "\u1100\u1161\u11A8z"))
      << "marks in another order, Hangul in its letters";
  EXPECT_THAT(parts_of(*tokenizer, " \t\n"), IsEmpty());
}

TEST(TokenPlaces, OfPiecesStandInTheirWord) {
  const auto tokenizer = load_tokenizer(config_of(TokenizerType::wordpiece, true), kVocabulary);
  const std::string text = "Unaffáble cafe\u0301s 你";
  std::vector<std::string> parts;
  std::vector<std::int32_t> words;
  for (const PlacedToken& token : tokenizer->encode_placed(text, 0)) {
    parts.emplace_back(token.place.of(text));
    words.push_back(token.word);
  }
  EXPECT_THAT(parts, ElementsAre("", "Una", "ffá", "ble", "cafe\u0301s", "你", ""));
  EXPECT_THAT(words, ElementsAre(-1, 0, 0, 0, 1, 2, -1));
}

TEST(TokenPlaces, OfBytesMakeWordsThatBlanksEnd) {
  const auto tokenizer = load_tokenizer(config_of(TokenizerType::bytes), "");
  std::vector<std::int32_t> words;
  for (const PlacedToken& token : tokenizer->encode_placed(" ab  c", 0))
    words.push_back(token.word);
  EXPECT_THAT(words, ElementsAre(0, 0, 0, 0, 0, 1));
}

TEST(NgramPlaces, AreOfTheNgramsThatReadGives) {
  NgramConfig config;
  config.max = 3;
  config.char_max = 3;
  for (const bool lowercase : {true, false}) {
    const NgramReader reader(config, lowercase);
    for (const std::string& text : nasty_texts()) {
      std::vector<std::uint64_t> read;
      reader.read(text, read);
      std::vector<std::uint64_t> placed;
      for (const PlacedNgram& ngram : reader.read_placed(text)) {
        placed.push_back(ngram.hash);
        EXPECT_LE(ngram.place.end, text.size()) << text;
        EXPECT_FALSE(ngram.place.empty()) << text;
      }
      EXPECT_EQ(placed, read) << text;
    }
  }
}

TEST(NgramPlaces, ReachFromTheFirstWordToTheLast) {
  NgramConfig config;
  config.max = 2;
  config.char_min = 3;
  config.char_max = 3;
  const std::string text = "Cafe\u0301 NOIR!";
  std::vector<std::string> words;
  std::vector<std::string> of_characters;
  for (const PlacedNgram& ngram : NgramReader(config, true).read_placed(text))
    (ngram.characters ? of_characters : words).emplace_back(ngram.place.of(text));
  EXPECT_THAT(words, ElementsAre("Cafe\u0301", "NOIR", "Cafe\u0301 NOIR", "!", "NOIR!"));
  EXPECT_THAT(of_characters, ElementsAre("Cafe\u0301", "Cafe\u0301", "Cafe\u0301", "Cafe\u0301",
                                         "NOIR", "NOIR", "NOIR", "NOIR", "!"));
}

TEST(NgramPlaces, OfAVocabularyAreThoseItHas) {
  NgramConfig config;
  config.max = 1;
  std::vector<std::uint64_t> hashes;
  NgramReader(config, true).read("oil", hashes);
  const NgramVocabulary vocabulary(config, true, hashes, 0);
  const std::vector<PlacedNgram> placed = vocabulary.placed("Gas, Oil and OIL");
  ASSERT_EQ(placed.size(), 2U);
  EXPECT_EQ(placed[0].place, (TextSpan{5, 8}));
  EXPECT_EQ(placed[1].place, (TextSpan{13, 16}));
  EXPECT_EQ(placed[0].id, 0);
}

}  // namespace
}  // namespace diffuse
