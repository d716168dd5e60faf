#include "diffuse/base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace diffuse {
namespace {

std::u32string decode_all(std::string_view text) {
  std::u32string result;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const DecodedCodePoint decoded = decode_utf8(at, end);
    result.push_back(decoded.code_point);
    at += decoded.length;
  }
  return result;
}

TEST(Utf8, EveryCodePointSurvivesTheWayThereAndBack) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    append_utf8(c, text);
    ASSERT_EQ(decode_all(text), std::u32string(1, c)) << static_cast<std::uint32_t>(c);
  }
}

TEST(Utf8, TellsAnIllFormedSequenceFromAWrittenReplacement) {
  const auto valid = [](std::string_view text) {
    return decode_utf8(text.data(), text.data() + text.size()).valid;
  };
  EXPECT_TRUE(valid("\uFFFD"));
  EXPECT_FALSE(valid("\xF0\x9F\x98"));
}

TEST(Utf8, SkipsAsciiUpToTheFirstOtherByte) {
  for (std::size_t length = 0; length < 20; ++length) {
    const std::string text = std::string(length, 'a') + "\u00E9" + std::string(9, 'b');
    const char* const begin = text.data();
    EXPECT_EQ(skip_ascii(begin, begin + text.size()), begin + length);
    EXPECT_EQ(skip_ascii(begin, begin + length), begin + length);
  }
}

TEST(Utf8, EveryMaximalSubpartBecomesOneReplacement) {
  const std::u32string r(1, kReplacementCharacter);
  // The example of The Unicode Standard, table 3-8.
  EXPECT_EQ(decode_all("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            U"a" + r + r + r + U"b" + r + U"c" + r + r + U"d");
  EXPECT_EQ(decode_all("\xC0\xAF"), r + r);                  // overlong
  EXPECT_EQ(decode_all("\xE0\x80\x80"), r + r + r);          // overlong
  EXPECT_EQ(decode_all("\xED\xA0\x80"), r + r + r);          // surrogate
  EXPECT_EQ(decode_all("\xF4\x90\x80\x80"), r + r + r + r);  // above U+10FFFF
  EXPECT_EQ(decode_all("\xF5\xFF"), r + r);
  EXPECT_EQ(decode_all("\xE4\xB8"), r);  // cut off
  EXPECT_EQ(decode_all("\xF0\x9F\x98"), r);
}

}  // namespace
}  // namespace diffuse
