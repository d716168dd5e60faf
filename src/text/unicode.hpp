#pragma once

#include <array>
#include <cstdint>

namespace diffuse {

/// Unicode's general categories, gathered to what the tokenizers tell apart.
enum class CharGroup : std::uint8_t {
  letter,           ///< L*
  nonspacing_mark,  ///< Mn
  other_mark,       ///< Mc, Me
  number,           ///< N*
  punctuation,      ///< P*
  symbol,           ///< S*
  separator,        ///< Z*
  control,          ///< Cc
  format,           ///< Cf
  unassigned,       ///< Cn
  private_use,      ///< Co
};

/// Group of a Unicode scalar value.
CharGroup char_group(char32_t c);

/// What BERT calls a Chinese character: the unified and compatibility ideographs, not kana or
/// hangul. The ranges are those of the Hugging Face `tokenizers` package, which leaves out
/// U+2B820 to U+2B91F of extension E where the original BERT has them.
bool is_cjk_ideograph(char32_t c);

/// Whether `c` belongs to a script that is written without blanks between words: Chinese, Japanese,
/// Thai, Lao, Khmer, Myanmar and their like. Not Korean, nor Tibetan, whose syllables are parted by
/// a mark.
bool is_unspaced(char32_t c);

/// Lower case of `c` by itself (no context, so a capital sigma always becomes U+03C3).
char32_t lower_case(char32_t c);

/// Canonical_Combining_Class; 0 for what starts a combining sequence.
int combining_class(char32_t c);

/// Full canonical decomposition of one code point.
struct Decomposition {
  static constexpr int kMaxLength = 8;  ///< the longest that Unicode has is 4
  std::array<char32_t, kMaxLength> code_points{};
  int length = 0;
};
Decomposition decompose(char32_t c);

/// `c` as ASCII: letters A-Z in lower case.
constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_ascii_alphanumeric(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// What an ASCII character does to the word it stands in; all tokenizers that split words agree.
enum class AsciiRole : std::uint8_t {
  word,     ///< letters and digits
  alone,    ///< punctuation and symbols: a token each
  space,    ///< ends the word
  control,  ///< for the tokenizer to decide
  none,     ///< not ASCII
};

/// The role of every byte.
inline constexpr auto kAsciiRoles = [] {
  std::array<AsciiRole, 256> roles{};
  for (int i = 0; i < 256; ++i) {
    const auto c = static_cast<unsigned char>(i);
    AsciiRole role = AsciiRole::alone;
    if (c >= 0x80) {
      role = AsciiRole::none;
    } else if (is_ascii_alphanumeric(c)) {
      role = AsciiRole::word;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      role = AsciiRole::space;
    } else if (c < 0x20 || c == 0x7F) {
      role = AsciiRole::control;
    }
    roles[c] = role;
  }
  return roles;
}();

}  // namespace diffuse
