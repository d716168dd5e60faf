#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/data/records.hpp"
#include "separator.hpp"
#include "text_buffer.hpp"

namespace diffuse {

/// The fields of one record, quotes removed.
struct CsvRecord {
  std::vector<std::string> fields;
  std::uint32_t line = 0;  ///< 1-based line on which the record starts
  /// The record as it stands in the file where it takes several lines; else empty.
  std::string raw;
};

/// Records of RFC 4180: fields in quotes may hold separators, line breaks and doubled quotes;
/// LF and CRLF both end a record, CR where there is no LF; byte order marks are skipped. Beyond the
/// RFC: blanks beside quotes are passed over, empty lines are no records, and the separator may be
/// any character; quotes may be characters like others; a first line `sep=;`, as Excel writes it,
/// sets the separator where the config does not. A record is at most TextBuffer::kMaxRecordBytes
/// long.
class CsvReader {
 public:
  /// `separator` 0: the one that the first rows tell (find_separator), by `expected` of a file
  /// beside the training data. `set`: somebody asked for `separator`, so a line `sep=` changes
  /// nothing.
  CsvReader(const DataInput& input, char separator, QuoteMode quote = QuoteMode::standard,
            std::optional<ExpectedColumns> expected = std::nullopt, bool set = false)
      : buffer_(input, quote == QuoteMode::standard),
        separator_(separator),
        quote_(quote),
        expected_(std::move(expected)),
        set_(set) {}

  /// The next record, or what is wrong with it. A quote that is never closed, or closed in the
  /// midst of a text, is bad, and reading goes on with the line behind the one that the quote
  /// stands on, so that one stray quote cannot swallow the rest of the file. Throws DataError if
  /// the file holds JSON, or its first line sets what cannot be a separator.
  ReadStatus next(CsvRecord& record, BadRow& bad);

  const std::filesystem::path& path() const { return buffer_.path(); }
  /// Known after the first call of `next`.
  char separator() const { return separator_; }
  /// The one that the rows at hand tell, whatever the one in use is; 0: none does.
  char other_separator() const { return other_separator_; }

 private:
  void begin();
  void take_separator_line();
  void refuse_json();
  /// A blank beside a quote, which is no text.
  bool is_padding(int c) const { return (c == ' ' || c == '\t') && c != separator_; }
  /// The first place from `place` on without a blank, or one behind the longest record.
  std::size_t behind_padding(std::size_t place) {
    while (place <= TextBuffer::kMaxRecordBytes && is_padding(buffer_.peek(place))) ++place;
    return place;
  }
  bool read_quoted(std::size_t& place, CsvRecord& record, BadRow& bad);
  bool read_plain(std::size_t& place, CsvRecord& record, BadRow& bad);
  /// `bad` for the quote at `quote`; always false.
  bool fail(std::size_t quote, std::string problem, std::string expected, BadRow& bad);

  TextBuffer buffer_;
  char separator_;
  char other_separator_ = 0;
  QuoteMode quote_;
  std::optional<ExpectedColumns> expected_;
  bool set_;
  bool begun_ = false;
};

}  // namespace diffuse
