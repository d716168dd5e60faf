#include "diffuse/base/text_util.hpp"

#include <gtest/gtest.h>

namespace diffuse {
namespace {

using namespace std::string_literals;

const std::vector<std::string> kNames = {"model.dim", "model.steps", "train.lr", "train.epochs"};

TEST(NearestName, FindsSlips) {
  EXPECT_EQ(nearest_name("model.dims", kNames), "model.dim");
  EXPECT_EQ(nearest_name("modle.dim", kNames), "model.dim");  // neighbours swapped: one edit
  EXPECT_EQ(nearest_name("train.LR", kNames), "train.lr");
  EXPECT_EQ(nearest_name("train.epoch", kNames), "train.epochs");
}

TEST(NearestName, PrefersTheNearest) {
  const std::vector<std::string> names = {"abcd", "abce", "abcf"};
  EXPECT_EQ(nearest_name("abce", names), "abce");
  EXPECT_EQ(nearest_name("abcx", names), "abcd") << "the first of equals";
}

TEST(NearestName, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("optimizer", kNames), std::nullopt);
  EXPECT_EQ(nearest_name("x", std::vector<std::string>{"y"}), std::nullopt);
  EXPECT_EQ(nearest_name("model.dim", {}), std::nullopt);
  EXPECT_EQ(nearest_name("", kNames), std::nullopt);
}

TEST(NearestName, CountsLettersNotBytes) {
  const std::vector<std::string> names = {"n\u00E9gatif", "\u4F53\u80B2",
                                          "\u0421\u041F\u041E\u0420\u0422"};
  EXPECT_EQ(nearest_name("negatif", names), names[0]);
  EXPECT_EQ(nearest_name("ne\u0301gatfi", names), names[0]) << "accents in another form";
  EXPECT_EQ(nearest_name("\u4F53\u575B", names), names[1]);
  EXPECT_EQ(nearest_name("\u0441\u043F\u0430\u0440\u0442", names), names[2]);
  EXPECT_EQ(nearest_name("\u8D22\u7ECF", names), std::nullopt);
}

TEST(Printable, KeepsOrdinaryText) {
  EXPECT_EQ(printable("naïve 東京 🙂 \\n"), "naïve 東京 🙂 \\n");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, EscapesControls) {
  EXPECT_EQ(printable("a\nb\r\t\0\x1b[31m\x7f"s), "a\\nb\\r\\t\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\u0085\u202e\u2028\ufeff"), "\\u{0085}\\u{202e}\\u{2028}\\u{feff}");
}

TEST(Printable, EscapesInvalidBytes) {
  EXPECT_EQ(printable("a\xff\xc3z\xe2\x82"), "a\\xff\\xc3z\\xe2\\x82");
}

TEST(Printable, CutsToTheLengthWithAnEllipsis) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcde…");
  EXPECT_EQ(printable("ééééé", 4), "ééé…");
  EXPECT_EQ(printable("ab\x01xyz", 5), "ab…") << "an escape is never cut in two";
  EXPECT_EQ(printable(std::string(100, 'x')), std::string(59, 'x') + "…");
}

TEST(InvalidUtf8At, AcceptsWellFormedText) {
  EXPECT_EQ(invalid_utf8_at(""), std::nullopt);
  EXPECT_EQ(invalid_utf8_at("only ASCII, longer than eight bytes"), std::nullopt);
  EXPECT_EQ(invalid_utf8_at("\0"s), std::nullopt);
  EXPECT_EQ(invalid_utf8_at("\u007f\u0080\u07ff\u0800\ue000\uffff"), std::nullopt);
  EXPECT_EQ(invalid_utf8_at("\U00010000\U0010ffff"), std::nullopt);
}

TEST(InvalidUtf8At, FindsTheFirstBadByte) {
  const struct {
    std::string text;
    std::size_t at;
  } cases[] = {
      {"\x80", 0},              // continuation without a lead
      {"\xc0\x80", 0},          // overlong NUL
      {"\xc1\xbf", 0},          // overlong
      {"\xe0\x9f\xbf", 0},      // overlong
      {"\xf0\x8f\xbf\xbf", 0},  // overlong
      {"\xed\xa0\x80", 0},      // surrogate
      {"\xed\xbf\xbf", 0},      // surrogate
      {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xf5\x80\x80\x80", 0},  // no lead byte
      {"ab\xc3", 2},            // cut off
      {"ab\xc3(", 2},           // no continuation
      {"ab\xe2\x82", 2},        // cut off
      {"\xf0\x9f\x99", 0},      // cut off
      {"12345678\xff", 8},      // after a whole word of ASCII
      {"1234567\xff"
       "12345678",
       7},  // inside one
      {"é12345678901234é\xfe", 18},
  };
  for (const auto& c : cases) EXPECT_EQ(invalid_utf8_at(c.text), c.at) << printable(c.text);
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(join(std::vector<std::string>{"a", "", "c"}, ", "), "a, , c");
  EXPECT_EQ(join(std::vector<std::string>{"a"}, ", "), "a");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(EscapeTsv, TabsAndBackslashesAlone) {
  EXPECT_EQ(escape_tsv("a\tb\\c \xC3\xA9"), "a\\tb\\\\c \xC3\xA9");
  EXPECT_EQ(escape_tsv(""), "");
}

}  // namespace
}  // namespace diffuse
