#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/text/token_reader.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

std::unique_ptr<Tokenizer> values_tokenizer() {
  TokenizerConfig config;
  config.type = TokenizerType::values;
  return load_tokenizer(config, "");
}

TEST(ValuesTokenizer, AByteIsANumber) {
  const auto tokenizer = values_tokenizer();
  std::vector<std::int32_t> ids = {7};
  EXPECT_EQ(tokenizer->encode("\x00\x7f\xff"s, 0, ids), 3);
  EXPECT_THAT(ids, ElementsAre(7, 0, 127, 255));
  EXPECT_EQ(tokenizer->encode("abc", 2, ids), 3);
  EXPECT_THAT(ids, ElementsAre(7, 0, 127, 255, 97, 98));
  EXPECT_EQ(tokenizer->vocab_size(), 257);
  EXPECT_EQ(tokenizer->mask_id(), 256);
}

TEST(ValuesTokenizer, EachNumberHasAPlace) {
  EXPECT_THAT(values_tokenizer()->encode_placed("a\xff", 0),
              ElementsAre(PlacedToken{97, {0, 1}, 0}, PlacedToken{255, {1, 2}, 1}));
}

TEST(ValuesTokenizer, AreReadAsNumbers) {
  const auto tokenizer = values_tokenizer();
  const TokenReader reader(*tokenizer, TokenizerType::values);
  EXPECT_EQ(reader.text(std::vector<std::int32_t>{0, 255, 256}), "0 255 [MASK]");
}

}  // namespace
}  // namespace diffuse
