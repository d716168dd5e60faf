#pragma once

#include <cstdint>
#include <string>

namespace diffuse {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One code point read from UTF-8.
struct DecodedCodePoint {
  char32_t code_point = kReplacementCharacter;
  int length = 1;  ///< bytes it took, at least 1
};

/// Reads the code point that starts at `begin`; `begin < end`. An ill-formed sequence reads as
/// U+FFFD for each of its maximal subparts (The Unicode Standard, 3.9, "U+FFFD Substitution of
/// Maximal Subparts", what Python's `errors="replace"` does too).
DecodedCodePoint decode_utf8(const char* begin, const char* end);

/// Appends `code_point` (a Unicode scalar value) to `text`.
void append_utf8(char32_t code_point, std::string& text);

}  // namespace diffuse
