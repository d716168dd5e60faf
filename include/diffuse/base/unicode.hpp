#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// Unicode's White_Space property.
bool is_white_space(char32_t c);

/// What a reader sees as a blank: white space, and the letters and symbols that show nothing
/// (Hangul fillers, the empty Braille pattern).
bool is_blank(char32_t c);

/// What a reader does not see at all: format characters (byte order marks, joiners, soft hyphens,
/// directions), variation selectors and control characters that are no white space. Not NUL, which
/// is an error of its own, nor the tags that make a flag of an emoji.
bool is_invisible(char32_t c);

/// A part of a text that form C may have changed, and what it became.
struct NfcStretch {
  std::size_t begin = 0;         ///< in the text
  std::size_t end = 0;           ///< behind it
  std::size_t normal_begin = 0;  ///< in the result
  std::size_t normal_end = 0;
};

/// `text` in Unicode's normal form C, where a letter with its accents is one code point if there is
/// one. Returns `text` itself if nothing in it can change, else `buffer`'s content. Ill-formed
/// bytes stay as they are, and of more than a hundred marks in a row each hundred is taken by
/// itself. `stretches`, where it is not null, gets the parts that may have changed, ascending:
/// between them each byte of the result is one of `text`.
std::string_view nfc(std::string_view text, std::string& buffer,
                     std::vector<NfcStretch>* stretches = nullptr);

/// `text` without the blanks and invisible characters around it.
std::string_view trim_invisible(std::string_view text);

/// The one form in which labels and names of columns are compared and stored: in normal form C,
/// without invisible characters (joiners stay between others, whose look they can change, and so do
/// control characters), every Unicode blank as a plain one, no blank around it.
std::string canonical_name(std::string_view text);

/// `canonical_name` in lower case.
std::string folded_name(std::string_view text);

/// Equal for names that differ by case, blanks, the width of their letters or the writing of a
/// number alone (0, 0.0, 00; 1000, +1000, 1,000, 1e3).
std::string look_alike_key(std::string_view name);

}  // namespace diffuse
