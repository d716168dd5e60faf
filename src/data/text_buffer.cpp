#include "text_buffer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;

std::uint32_t line_breaks(std::string_view text) {
  return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TextBuffer::TextBuffer(const std::filesystem::path& path) : source_(path) {
  const int first = peek(0);
  const int second = peek(1);
  if (first == 0xEF && second == 0xBB && peek(2) == 0xBF) {
    begin_ = 3;
  } else if ((first == 0xFF && second == 0xFE) || (first == 0xFE && second == 0xFF)) {
    throw DataError(fmt::format("{}:1: the file is UTF-16; expected UTF-8", path.string()));
  }
}

bool TextBuffer::more() {
  if (at_end_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kBlockBytes);
  const std::size_t count = source_.read(buffer_.data() + size, kBlockBytes);
  buffer_.resize(size + count);
  at_end_ = count == 0;
  return !at_end_;
}

template <class Search>
std::size_t TextBuffer::search(std::size_t from, Search search) {
  for (;;) {
    const std::string_view text = held();
    const std::size_t found = search(text, from);
    if (found != std::string_view::npos) return found;
    from = text.size();
    if (text.size() > kMaxRecordBytes || !more()) return std::string_view::npos;
  }
}

std::size_t TextBuffer::find(char wanted, std::size_t from) {
  return search(from,
                [wanted](std::string_view text, std::size_t i) { return text.find(wanted, i); });
}

std::size_t TextBuffer::find_any(const std::array<char, 3>& wanted, std::size_t from) {
  return search(from, [&wanted](std::string_view text, std::size_t i) {
    // Three compares a byte beat string_view::find_first_of, which calls memchr for each.
    for (; i < text.size(); ++i) {
      if (text[i] == wanted[0] || text[i] == wanted[1] || text[i] == wanted[2]) return i;
    }
    return std::string_view::npos;
  });
}

void TextBuffer::consume(std::size_t bytes) {
  line_ += line_breaks(held().substr(0, bytes));
  begin_ += bytes;
}

void TextBuffer::consume_line(std::size_t from) {
  for (;;) {
    const std::size_t found = held().find('\n', from);
    if (found != std::string_view::npos) return consume(found + 1);
    // Nothing of this line is wanted: let go of it before reading on.
    consume(held().size());
    from = 0;
    if (!more()) return;
  }
}

void TextBuffer::consume_empty_lines() {
  for (;;) {
    const int first = peek(0);
    if (first == '\n') {
      consume(1);
    } else if (first == '\r' && peek(1) == '\n') {
      consume(2);
    } else {
      return;
    }
  }
}

std::uint32_t TextBuffer::line_at(std::size_t index) const {
  return line_ + line_breaks(held().substr(0, index));
}

}  // namespace diffuse
