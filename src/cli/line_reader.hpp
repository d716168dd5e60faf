#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "diffuse/data/byte_source.hpp"

namespace diffuse::cli {

/// Lines of a file descriptor, read so that a slow pipe can be answered line by line: it never
/// waits for more than the next line when told not to. Or lines of a file, which may be packed.
class LineReader {
 public:
  /// Longest line that is held in memory; of a longer one only its number is kept.
  static constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;

  struct Line {
    std::string text;  ///< without its line break (LF or CR LF)
    std::int64_t number = 0;
    bool too_long = false;  ///< `text` is empty then
  };
  enum class Status {
    line,     ///< a line was read
    pending,  ///< the next line is not there yet
    end,
  };

  /// `descriptor` stays the caller's.
  explicit LineReader(int descriptor) : descriptor_(descriptor) {}
  /// `file` must outlive the reader.
  explicit LineReader(ByteSource& file) : file_(&file) {}

  /// The next line. Returns `pending` instead of waiting for input, unless `wait`. The last line
  /// need not end with a line break. Throws SystemError, and DataError for damaged gzip data.
  Status next(Line& line, bool wait);

 private:
  bool input_is_ready() const;
  std::size_t read(char* to, std::size_t size);
  void fill();
  void take(Line& line, std::size_t end, std::size_t consumed);

  int descriptor_ = -1;
  ByteSource* file_ = nullptr;  // null: read from the descriptor
  std::string buffer_;
  std::size_t begin_ = 0;    // of what was not taken yet
  std::size_t scanned_ = 0;  // no line break before this place
  bool skipping_ = false;    // inside a line that is too long
  bool at_end_ = false;
  std::int64_t number_ = 0;
};

}  // namespace diffuse::cli
