#include "unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace diffuse {

CharGroup char_group(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharGroup::letter;
    case UTF8PROC_CATEGORY_MN:
      return CharGroup::nonspacing_mark;
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return CharGroup::other_mark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharGroup::number;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return CharGroup::punctuation;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return CharGroup::symbol;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return CharGroup::separator;
    case UTF8PROC_CATEGORY_CC:
      return CharGroup::control;
    case UTF8PROC_CATEGORY_CF:
      return CharGroup::format;
    case UTF8PROC_CATEGORY_CO:
      return CharGroup::private_use;
    default:
      return CharGroup::unassigned;
  }
}

bool is_cjk_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

bool is_unspaced(char32_t c) {
  struct Range {
    char32_t first;
    char32_t last;
  };
  static constexpr std::array<Range, 19> kRanges = {{
      {0x0E00, 0x0EFF},    // Thai, Lao
      {0x1000, 0x109F},    // Myanmar
      {0x1780, 0x17FF},    // Khmer
      {0x1950, 0x19DF},    // Tai Le, New Tai Lue
      {0x1A20, 0x1AAF},    // Tai Tham
      {0x2E80, 0x2FDF},    // radicals
      {0x3005, 0x3007},    // signs for a repeated, a closing and a zero ideograph
      {0x3040, 0x312F},    // Hiragana, Katakana, Bopomofo
      {0x31A0, 0x31BF},    // more Bopomofo
      {0x31F0, 0x31FF},    // more Katakana
      {0x3400, 0x4DBF},    // ideographs
      {0x4E00, 0xA4CF},    // ideographs, Yi
      {0xA9E0, 0xA9FF},    // more Myanmar
      {0xAA60, 0xAADF},    // more Myanmar, Tai Viet
      {0xF900, 0xFAFF},    // ideographs
      {0xFF66, 0xFF9F},    // narrow Katakana
      {0x11700, 0x1174F},  // Ahom
      {0x1AFF0, 0x1B16F},  // more Katakana and Hiragana
      {0x20000, 0x3FFFF},  // ideographs
  }};
  if (c < kRanges.front().first) return false;
  const auto behind =
      std::upper_bound(kRanges.begin(), kRanges.end(), c,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return c <= std::prev(behind)->last;
}

char32_t lower_case(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

int combining_class(char32_t c) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

Decomposition decompose(char32_t c) {
  std::array<utf8proc_int32_t, Decomposition::kMaxLength> buffer{};
  const auto length =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(),
                              Decomposition::kMaxLength, UTF8PROC_DECOMPOSE, nullptr);
  Decomposition result;
  if (length <= 0 || length > Decomposition::kMaxLength) {
    result.code_points[0] = c;
    result.length = 1;
    return result;
  }
  result.length = static_cast<int>(length);
  for (int i = 0; i < result.length; ++i) {
    result.code_points[i] = static_cast<char32_t>(buffer[i]);
  }
  return result;
}

}  // namespace diffuse
