#pragma once

#include <cstddef>
#include <string_view>

namespace diffuse {

/// A part of a text: its bytes begin … end - 1, whole code points.
struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool empty() const { return begin == end; }
  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  bool operator==(const TextSpan&) const = default;
};

/// `span` of `text` with the rest of a code point that it cuts, and the marks and invisible
/// characters behind it: what a reader takes for one with it, though a tokenizer may throw it away.
TextSpan with_marks(std::string_view text, TextSpan span);

}  // namespace diffuse
