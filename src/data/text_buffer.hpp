#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "diffuse/data/byte_source.hpp"

namespace diffuse {

/// The part of a text file that is being looked at: it grows on demand and shrinks from the front.
class TextBuffer {
 public:
  /// Longest record that is held in memory.
  static constexpr std::size_t kMaxRecordBytes = std::size_t{16} << 20;

  enum class Line { read, too_long, end };

  /// Lines end with LF or CRLF, or with CR in a text that has no LF: then `held()` has LF in their
  /// place. `quotes`: line breaks between quotes end no line. Throws as ByteSource does; UTF-16 is
  /// refused when it is read.
  explicit TextBuffer(DataInput input, bool quotes = false)
      : source_(std::move(input)), quotes_(quotes) {}

  /// Bytes read and not consumed. Valid until the next call of another function.
  std::string_view held() const { return std::string_view(buffer_).substr(begin_); }
  /// Adds a block to `held()`; false at the end of the file.
  bool more();
  /// Byte `index` of what is not consumed, -1 beyond the end of the file.
  int peek(std::size_t index) {
    while (index >= buffer_.size() - begin_) {
      if (!more()) return -1;
    }
    return static_cast<unsigned char>(buffer_[begin_ + index]);
  }
  /// Place of the first `wanted` from `from` (at most held().size()) on; npos if there is none
  /// before the end of the file or before kMaxRecordBytes.
  std::size_t find(char wanted, std::size_t from);
  /// The same for the first of three bytes.
  std::size_t find_any(const std::array<char, 3>& wanted, std::size_t from);

  /// Takes `bytes` (at most held().size()) from the front, counting lines.
  void consume(std::size_t bytes);
  /// Takes all up to and with the first line break from `from` on, or the rest of the file.
  void consume_line(std::size_t from);
  /// Takes empty lines from the front, and a byte order mark in front of a line.
  void consume_empty_lines();
  /// Takes a byte order mark from the front: `cat` leaves them inside of a file.
  void consume_byte_order_mark();
  /// Takes a line, without its line break and a byte order mark; of one that is too long nothing is
  /// kept.
  Line take_line(std::string& line);

  /// 1-based line of the first byte that is not consumed.
  std::uint32_t line() const { return line_; }
  /// Line of byte `index` of `held()`.
  std::uint32_t line_at(std::size_t index) const;
  const std::filesystem::path& path() const { return source_.path(); }

 private:
  template <class Search>
  std::size_t search(std::size_t from, Search search);

  void look_at_first_block();

  ByteSource source_;
  bool quotes_;
  bool started_ = false;
  bool cr_ends_lines_ = false;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint32_t line_ = 1;
  bool at_end_ = false;
};

}  // namespace diffuse
