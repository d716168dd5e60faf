#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "records.hpp"
#include "text_buffer.hpp"

namespace diffuse {

/// The fields of one record, quotes removed.
struct CsvRecord {
  std::vector<std::string> fields;
  std::uint32_t line = 0;  ///< 1-based line on which the record starts
};

/// Records of RFC 4180: fields in quotes may hold separators, line breaks and doubled quotes;
/// LF and CRLF both end a record; a byte order mark is skipped. Beyond the RFC: empty lines are no
/// records, and the separator may be a tab.
class CsvReader {
 public:
  CsvReader(const std::filesystem::path& path, char separator)
      : buffer_(path), separator_(separator) {}

  /// The next record, or what is wrong with it. A quote that is never closed, or closed in the
  /// midst of a text, is bad, and reading goes on with the line behind the one that the quote
  /// stands on, so that one stray quote cannot swallow the rest of the file.
  ReadStatus next(CsvRecord& record, BadRow& bad);

  const std::filesystem::path& path() const { return buffer_.path(); }

 private:
  bool read_quoted(std::size_t& place, CsvRecord& record, BadRow& bad);
  bool read_plain(std::size_t& place, CsvRecord& record, BadRow& bad);
  /// `bad` for the quote at `quote`; always false.
  bool fail(std::size_t quote, std::string problem, std::string expected, BadRow& bad);

  TextBuffer buffer_;
  char separator_;
};

}  // namespace diffuse
