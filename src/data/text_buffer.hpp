#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "diffuse/data/byte_source.hpp"

namespace diffuse {

/// The part of a text file that is being looked at: it grows on demand and shrinks from the front.
class TextBuffer {
 public:
  /// Longest record that is held in memory.
  static constexpr std::size_t kMaxRecordBytes = std::size_t{16} << 20;

  /// Skips a UTF-8 byte order mark. Throws DataError for UTF-16 and what ByteSource throws.
  explicit TextBuffer(const std::filesystem::path& path);

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
  /// Takes empty lines from the front.
  void consume_empty_lines();

  /// 1-based line of the first byte that is not consumed.
  std::uint32_t line() const { return line_; }
  /// Line of byte `index` of `held()`.
  std::uint32_t line_at(std::size_t index) const;
  const std::filesystem::path& path() const { return source_.path(); }

 private:
  template <class Search>
  std::size_t search(std::size_t from, Search search);

  ByteSource source_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint32_t line_ = 1;
  bool at_end_ = false;
};

}  // namespace diffuse
