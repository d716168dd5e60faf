#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Why a row cannot be used. The message is `file:line: problem; expected ...`.
struct BadRow {
  std::uint32_t line = 0;
  std::string problem;
  std::string expected;
};

enum class ReadStatus { row, bad, end };

/// One labelled text.
struct Example {
  std::string text;
  std::string label;
  std::uint32_t line = 0;  ///< 1-based line on which the row starts
};

/// The labelled texts of a file, one after the other.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  /// The next row, or what is wrong with it; after `bad` reading goes on behind that row. Throws
  /// DataError for what makes the whole file useless (columns that are not there, damaged gzip).
  virtual ReadStatus next(Example& example, BadRow& bad) = 0;
  /// Which columns or keys are label and text, in words; empty before the first row.
  virtual std::string columns_text() const = 0;
};

/// CSV, TSV or JSONL by `config.format`, or by the file's name when that is automatic. Throws
/// DataError if the file cannot be opened or its name does not tell the format.
std::unique_ptr<RecordReader> open_records(const std::filesystem::path& path,
                                           const DataConfig& config);

/// The format that `open_records` reads `path` with (never automatic).
FileFormat resolve_format(const std::filesystem::path& path, FileFormat format);

/// Fills `example` from the raw parts of a row: label in its canonical form (base/unicode.hpp),
/// texts joined by a blank without the empty ones. Returns what is wrong with them (`problem` is
/// empty if nothing is).
BadRow make_example(std::string_view label, const std::vector<std::string_view>& texts,
                    std::uint32_t line, Example& example);

}  // namespace diffuse
