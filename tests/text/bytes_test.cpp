#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_of;
using ::testing::StartsWith;

std::unique_ptr<Tokenizer> bytes_tokenizer() {
  TokenizerConfig config;
  config.type = TokenizerType::bytes;
  return load_tokenizer(config, "/no/such/file");  // needs none
}

TEST(Bytes, EveryByteHasItsIdAfterTheSpecials) {
  const auto tokenizer = bytes_tokenizer();
  EXPECT_EQ(tokenizer->vocab_size(), 259);
  EXPECT_THAT(ids_of(*tokenizer, std::string_view("\0A\xFF", 3)), ElementsAre(3, 3 + 'A', 258));
  EXPECT_NE(tokenizer->mask_id(), tokenizer->unknown_id());
  EXPECT_LT(tokenizer->mask_id(), 3);
  EXPECT_LT(tokenizer->unknown_id(), 3);
}

TEST(Bytes, StopsAtTheLimitAndAppends) {
  const auto tokenizer = bytes_tokenizer();
  std::vector<std::int32_t> ids = {7};
  tokenizer->encode("abcdef", 2, ids);
  EXPECT_THAT(ids, ElementsAre(7, 3 + 'a', 3 + 'b'));
}

TEST(Bytes, VocabularyHasALineForEachId) {
  const std::string text = bytes_tokenizer()->vocab_text();
  EXPECT_THAT(text, StartsWith("[PAD]\n[UNK]\n[MASK]\n<00>\n<01>\n"));
  EXPECT_THAT(text, HasSubstr("\n<ff>\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 259);
}

}  // namespace
}  // namespace diffuse
