#include "diffuse/base/unicode.hpp"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <array>
#include <cstdlib>

#include "diffuse/base/utf8.hpp"

namespace diffuse {
namespace {

std::string normal(std::string_view text) {
  std::string buffer;
  return std::string(nfc(text, buffer));
}

/// utf8proc's own form C of all of `text`.
std::string whole_nfc(const std::string& text) {
  auto* const mapped = utf8proc_NFC(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str()));
  const std::string result(reinterpret_cast<const char*>(mapped));
  std::free(mapped);
  return result;
}

std::string encoded(std::initializer_list<char32_t> points) {
  std::string text;
  for (const char32_t c : points) append_utf8(c, text);
  return text;
}

TEST(Nfc, PutsLettersAndTheirMarksTogether) {
  EXPECT_EQ(normal("ne\u0301gatif"), "n\u00E9gatif");
  EXPECT_EQ(normal("tie\u0302\u0301ng Vie\u0323\u0302t"), "ti\u1EBFng Vi\u1EC7t");
  EXPECT_EQ(normal("\u1112\u1161\u11AB\u1100\u116E\u11A8"), "\uD55C\uAD6D");  // Hangul
  EXPECT_EQ(normal("\uAC00\u11A8"), "\uAC01");
  EXPECT_EQ(normal("a =\u0338 b"), "a \u2260 b") << "signs, too";
  EXPECT_EQ(normal("\u212B \u1F71"), "\u00C5 \u03AC") << "what has a twin becomes the twin";
}

TEST(Nfc, LeavesTextInFormCAlone) {
  std::string buffer = "earlier";
  for (const std::string_view text : {"", "plain ASCII of more than eight bytes",
                                      "d\u00E9j\u00E0 \u4E2D\u6587 \U0001F600 \uD55C"}) {
    EXPECT_EQ(nfc(text, buffer).data(), text.data()) << text;
  }
  EXPECT_EQ(normal("x\u030C y"), "x\u030C y") << "no such letter in one piece";
  EXPECT_EQ(normal("\uFF11"), "\uFF11") << "full width is another letter, not another form";
}

TEST(Nfc, KeepsIllFormedBytes) {
  EXPECT_EQ(normal("\xFF"
                   "e\u0301\xE4\xB8 \xC3"),
            "\xFF\u00E9\xE4\xB8 \xC3");
  EXPECT_EQ(normal("\xFF\u0301"), "\xFF\u0301");
}

TEST(Nfc, AgreesWithUtf8procOnEveryCodePointAndItsParts) {
  for (char32_t c = 1; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string alone = encoded({'a', c, 'b'});
    ASSERT_EQ(normal(alone), whole_nfc(alone)) << static_cast<std::uint32_t>(c);
    std::array<utf8proc_int32_t, 8> parts{};
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(),
                                               static_cast<utf8proc_ssize_t>(parts.size()),
                                               UTF8PROC_DECOMPOSE, nullptr);
    if (count < 2) continue;
    std::string apart = "\u4E2D";
    for (std::int64_t i = 0; i < count; ++i) {
      append_utf8(static_cast<char32_t>(parts[static_cast<std::size_t>(i)]), apart);
    }
    ASSERT_EQ(normal(apart), whole_nfc(apart)) << static_cast<std::uint32_t>(c);
  }
}

TEST(Nfc, ManyMarksInARowTakeNoTimeToSpeakOf) {
  std::string text = "a";
  for (int i = 0; i < 200000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0323";
  EXPECT_GT(normal(text).size(), text.size() / 2);  // sorting them all would take hours
}

TEST(TrimInvisible, TakesBlanksAndInvisibleCharactersFromBothEnds) {
  EXPECT_EQ(trim_invisible(" \t\uFEFF\u200Bsport\u00A0\u3000\uFE0F\u2060 "), "sport");
  EXPECT_EQ(trim_invisible("\u0001 a b \u007F"), "a b");
  EXPECT_EQ(trim_invisible("\u3164\u2800\u200D"), "");
  EXPECT_EQ(trim_invisible(""), "");
  EXPECT_EQ(trim_invisible("\u00E9\u4E2D\U0001F600"), "\u00E9\u4E2D\U0001F600");
}

TEST(TrimInvisible, KeepsWhatIsAnErrorOrASign) {
  EXPECT_EQ(trim_invisible(std::string_view("\0a\0", 3)), std::string_view("\0a\0", 3));
  EXPECT_EQ(trim_invisible("\xA0\xFF "), "\xA0\xFF");
  const std::string flag = "\U0001F3F4\U000E0067\U000E0062\U000E007F";
  EXPECT_EQ(trim_invisible(flag), flag) << "tags tell flags apart";
}

TEST(CanonicalName, IsTheSameForWhatReadsTheSame) {
  EXPECT_EQ(canonical_name("\uFEFFne\u0301gatif\u00A0"), "n\u00E9gatif");
  EXPECT_EQ(canonical_name("spo\u200Brt"), "sport");
  EXPECT_EQ(canonical_name("e\u200B\u0301"), "\u00E9");
  EXPECT_EQ(canonical_name("New\u00A0York"), "New York");
  EXPECT_EQ(canonical_name("\u2764\uFE0F"), "\u2764");
  EXPECT_EQ(canonical_name(" plain "), "plain");
  EXPECT_EQ(canonical_name("\u200B \uFEFF"), "");
}

TEST(CanonicalName, KeepsWhatAReaderSees) {
  for (const std::string name : {"New  York", "Sport", "0.0", "\uFF11", "\u0645\u06CC\u200C\u062E",
                                 "\U0001F469\u200D\U0001F4BB", "a\tb",
                                 "a\xFF"
                                 "b"}) {
    EXPECT_EQ(canonical_name(name), name);
  }
  EXPECT_EQ(canonical_name("a\nb"), "a\nb") << "an error of its own, not for this to hide";
}

TEST(FoldedName, IgnoresCaseToo) {
  EXPECT_EQ(folded_name(" CATE\u0301GORIE\uFEFF"), "cat\u00E9gorie");
  EXPECT_EQ(folded_name("\xFFX"), "\xFFx");
  EXPECT_NE(folded_name("\uFF34\uFF25\uFF38\uFF34"), "text") << "full-width letters are others";
}

TEST(LookAlikeKey, IsEqualForCaseBlanksWidthAndTheWritingOfANumber) {
  for (const char* other :
       {"new york", "New  York", "NEWYORK", "\uFF2E\uFF45\uFF57 York", "New\u00A0York"}) {
    EXPECT_EQ(look_alike_key(other), look_alike_key("New York")) << other;
  }
  for (const char* zero : {"0.0", "00", "-0", "+0", "0.", ".0", "\uFF10", " 0 "}) {
    EXPECT_EQ(look_alike_key(zero), look_alike_key("0")) << zero;
  }
  EXPECT_EQ(look_alike_key("1.50"), look_alike_key("+01.5"));
  for (const char* thousand : {"1000.0", "1,000", "1e3", "1E+3", "+1000", "+1,000.00", "0.1e4",
                               "10000e-1", "1 000", ".001e6"}) {
    EXPECT_EQ(look_alike_key(thousand), look_alike_key("1000")) << thousand;
  }
  EXPECT_EQ(look_alike_key("1,234,567"), look_alike_key("1234567"));
  EXPECT_EQ(look_alike_key("5e-2"), look_alike_key("0.05"));
  EXPECT_EQ(look_alike_key("\u22121"), look_alike_key("-1"));
}

TEST(LookAlikeKey, DiffersForDifferentNames) {
  const std::vector<std::string> names = {"sport",
                                          "sports",
                                          "0",
                                          "1",
                                          "10",
                                          "100",
                                          "-1",
                                          "1.5",
                                          "1.05",
                                          "0.1",
                                          ".",
                                          "-",
                                          "1.2.3",
                                          "1,5",
                                          "15",
                                          "1,00",
                                          ",100",
                                          "1234,567",
                                          "1,2345",
                                          "12345",
                                          "1e",
                                          "e1",
                                          "1e2e1",
                                          "1e999",
                                          "1.2.30",
                                          "9007199254740993",
                                          "9007199254740992",
                                          "a0",
                                          "a00",
                                          "\u00E9",
                                          "e"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      EXPECT_NE(look_alike_key(names[i]), look_alike_key(names[k])) << names[i] << " " << names[k];
    }
  }
}

TEST(NormalFormC, TellsWhereItMayHaveChangedTheText) {
  std::string buffer;
  std::vector<NfcStretch> stretches = {{}};
  const std::string text = "ab e\u0301 cd \u1100\u1161 \u00E9";
  const std::string_view normal = nfc(text, buffer, &stretches);
  ASSERT_EQ(stretches.size(), 2U);
  const auto of = [](std::string_view whole, std::size_t begin, std::size_t end) {
    return whole.substr(begin, end - begin);
  };
  EXPECT_EQ(of(text, stretches[0].begin, stretches[0].end), "e\u0301");
  EXPECT_EQ(of(normal, stretches[0].normal_begin, stretches[0].normal_end), "\u00E9");
  EXPECT_EQ(of(text, stretches[1].begin, stretches[1].end), "\u1100\u1161");
  EXPECT_EQ(of(normal, stretches[1].normal_begin, stretches[1].normal_end), "\uAC00");
  nfc("plain", buffer, &stretches);
  EXPECT_TRUE(stretches.empty());
}

}  // namespace
}  // namespace diffuse
