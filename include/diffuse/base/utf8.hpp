#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace diffuse {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One code point read from UTF-8.
struct DecodedCodePoint {
  char32_t code_point = kReplacementCharacter;
  int length = 1;      ///< bytes it took, at least 1
  bool valid = false;  ///< false: an ill-formed sequence, read as U+FFFD
};

/// Reads the code point that starts at `begin`; `begin < end`. An ill-formed sequence reads as
/// U+FFFD for each of its maximal subparts (The Unicode Standard, 3.9, "U+FFFD Substitution of
/// Maximal Subparts", what Python's `errors="replace"` does too). Overlong forms, surrogates and
/// values above U+10FFFF are ill-formed. Inline: tokenizers call it for every character.
inline DecodedCodePoint decode_utf8(const char* begin, const char* end) {
  const auto byte = [begin](int i) { return static_cast<unsigned char>(begin[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};

  int length = 0;
  char32_t value = 0;
  // Bounds of the second byte: they alone rule out overlong forms, surrogates and > U+10FFFF.
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    value = lead & 0x1Fu;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    value = lead & 0x0Fu;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    value = lead & 0x07u;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {};
  }
  for (int i = 1; i < length; ++i) {
    if (begin + i == end || byte(i) < low || byte(i) > high) {
      return {kReplacementCharacter, i, false};
    }
    value = (value << 6) | (byte(i) & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  return {value, length, true};
}

/// Where the first byte that is not ASCII stands, or `end`; eight bytes at a time.
inline const char* skip_ascii(const char* begin, const char* end) {
  std::uint64_t eight = 0;
  while (end - begin >= static_cast<std::ptrdiff_t>(sizeof eight)) {
    std::memcpy(&eight, begin, sizeof eight);
    if ((eight & 0x8080808080808080ull) != 0) break;
    begin += sizeof eight;
  }
  while (begin < end && static_cast<unsigned char>(*begin) < 0x80) ++begin;
  return begin;
}

/// Appends `code_point` (a Unicode scalar value) to `text`.
inline void append_utf8(char32_t c, std::string& text) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    text.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    text.append({static_cast<char>(0xC0 | (c >> 6)), tail(0)});
  } else if (c < 0x10000) {
    text.append({static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)});
  } else {
    text.append({static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)});
  }
}

}  // namespace diffuse
