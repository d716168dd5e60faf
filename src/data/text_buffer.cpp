#include "text_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "encoding.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;

std::uint32_t line_breaks(std::string_view text) {
  return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Whether lines of a file that begins with `block` end with CR alone, as on old Macs.
bool only_cr_ends_lines(std::string_view block, bool quotes) {
  std::size_t alone = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (quotes && block[i] == '"') quoted = !quoted;
    if (quoted) continue;
    if (block[i] == '\n') return false;
    // The last byte may be the first half of CRLF.
    if (block[i] == '\r' && i + 1 < block.size() && block[i + 1] != '\n') ++alone;
  }
  return alone > 0;
}

}  // namespace

void TextBuffer::look_at_first_block() {
  started_ = true;
  refuse_wide_encoding(buffer_, path());
  cr_ends_lines_ = only_cr_ends_lines(buffer_, quotes_);
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
  if (!started_) look_at_first_block();
  if (cr_ends_lines_)
    std::replace(buffer_.begin() + static_cast<std::ptrdiff_t>(size), buffer_.end(), '\r', '\n');
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

void TextBuffer::consume_byte_order_mark() {
  if (peek(0) == 0xEF && peek(1) == 0xBB && peek(2) == 0xBF) begin_ += 3;
}

void TextBuffer::consume_empty_lines() {
  for (;;) {
    consume_byte_order_mark();
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

TextBuffer::Line TextBuffer::take_line(std::string& line) {
  line.clear();
  consume_byte_order_mark();
  if (peek(0) < 0) return Line::end;
  const std::size_t end = find('\n', 0);
  const std::size_t length = end == std::string_view::npos ? held().size() : end;
  if (length > kMaxRecordBytes) {
    consume_line(0);
    return Line::too_long;
  }
  line = held().substr(0, length);
  consume(end == std::string_view::npos ? length : length + 1);
  if (line.ends_with('\r')) line.pop_back();
  return Line::read;
}

std::uint32_t TextBuffer::line_at(std::size_t index) const {
  return line_ + line_breaks(held().substr(0, index));
}

}  // namespace diffuse
