#include "diffuse/text/text_span.hpp"

#include "diffuse/base/unicode.hpp"
#include "diffuse/base/utf8.hpp"
#include "unicode.hpp"

namespace diffuse {
namespace {

bool goes_with_what_is_before(char32_t c) {
  const CharGroup group = char_group(c);
  return group == CharGroup::nonspacing_mark || group == CharGroup::other_mark || is_invisible(c);
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

}  // namespace

TextSpan with_marks(std::string_view text, TextSpan span) {
  while (span.end < text.size() && is_continuation(text[span.end])) ++span.end;
  while (span.end < text.size()) {
    const DecodedCodePoint next = decode_utf8(text.data() + span.end, text.data() + text.size());
    if (!next.valid || next.code_point < 0x80 || !goes_with_what_is_before(next.code_point)) break;
    span.end += static_cast<std::size_t>(next.length);
  }
  return span;
}

}  // namespace diffuse
