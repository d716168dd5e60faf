#include "diffuse/text/token_reader.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

std::string there_and_back(const TokenizerConfig& config, const std::string& vocabulary,
                           const std::string& text) {
  const testing::TempDir dir;
  const auto tokenizer = load_tokenizer(config, dir.write("vocab.txt", vocabulary));
  std::vector<std::int32_t> ids;
  tokenizer->encode(text, 0, ids);
  return TokenReader(*tokenizer, config.type).text(ids);
}

TEST(TokenReader, JoinsWordsByBlanks) {
  TokenizerConfig config;
  config.type = TokenizerType::words;
  EXPECT_EQ(there_and_back(config, "[PAD]\n[UNK]\n[MASK]\noil\nprices\n.\n", "Oil  prices rose."),
            "oil prices [UNK] .");
}

TEST(TokenReader, JoinsThePiecesOfAWord) {
  TokenizerConfig config;
  config.type = TokenizerType::wordpiece;
  EXPECT_EQ(there_and_back(config, "[PAD]\n[UNK]\n[MASK]\nplay\n##ing\nis\n", "playing is"),
            "playing is");
}

TEST(TokenReader, GivesBytesAsTheyWere) {
  TokenizerConfig config;
  config.type = TokenizerType::bytes;
  EXPECT_EQ(there_and_back(config, "", "Zürich, 9 km\t!"), "Zürich, 9 km\t!");
}

TEST(TokenReader, PassesOverIdsThatAreNotThere) {
  TokenizerConfig config;
  config.type = TokenizerType::bytes;
  const auto tokenizer = load_tokenizer(config, "");
  const std::vector<std::int32_t> ids = {-1, 3 + 'a', 5000};
  EXPECT_EQ(TokenReader(*tokenizer, config.type).text(ids), "a");
}

}  // namespace
}  // namespace diffuse
