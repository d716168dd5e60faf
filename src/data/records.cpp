#include "records.hpp"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "columns.hpp"
#include "csv_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "jsonl_reader.hpp"

namespace diffuse {
namespace {

class CsvRecords : public RecordReader {
 public:
  CsvRecords(const std::filesystem::path& path, char separator, const DataConfig& config)
      : reader_(path, separator), config_(config) {}

  ReadStatus next(Example& example, BadRow& bad) override {
    ReadStatus status = read(bad);
    if (status == ReadStatus::row && !columns_) {
      columns_ = resolve_columns(record_.fields, config_, reader_.path(), record_.line);
      first_line_ = record_.line;
      if (columns_->header) status = read(bad);
    }
    if (status != ReadStatus::row) return status;
    if (record_.fields.size() != columns_->count) {
      bad = {
          record_.line,
          fmt::format("{} field{}", record_.fields.size(), record_.fields.size() == 1 ? "" : "s"),
          fmt::format("{} as on line {}", columns_->count, first_line_)};
      return ReadStatus::bad;
    }
    texts_.clear();
    for (const std::size_t column : columns_->texts) texts_.push_back(record_.fields[column]);
    bad = make_example(record_.fields[columns_->label], texts_, record_.line, example);
    return bad.problem.empty() ? ReadStatus::row : ReadStatus::bad;
  }
  std::string columns_text() const override { return columns_ ? columns_->description : ""; }

 private:
  /// A record whose bytes are text.
  ReadStatus read(BadRow& bad) {
    const ReadStatus status = reader_.next(record_, bad);
    if (status != ReadStatus::row) return status;
    for (std::size_t i = 0; i < record_.fields.size(); ++i) {
      const std::string& field = record_.fields[i];
      if (const auto at = invalid_utf8_at(field)) {
        bad = {record_.line,
               fmt::format("invalid UTF-8 in column {}: byte 0x{:02X} behind \"{}\"", i + 1,
                           static_cast<unsigned char>(field[*at]),
                           printable(std::string_view(field).substr(*at < 20 ? 0 : *at - 20,
                                                                    *at < 20 ? *at : 20))),
               "UTF-8"};
        return ReadStatus::bad;
      }
      if (field.find('\0') != std::string::npos) {
        bad = {record_.line, fmt::format("NUL character in column {}", i + 1), "text"};
        return ReadStatus::bad;
      }
    }
    return ReadStatus::row;
  }

  CsvReader reader_;
  DataConfig config_;
  CsvRecord record_;
  std::optional<Columns> columns_;
  std::uint32_t first_line_ = 1;
  std::vector<std::string_view> texts_;
};

}  // namespace

BadRow make_example(std::string_view label, const std::vector<std::string_view>& texts,
                    std::uint32_t line, Example& example) {
  std::string name = canonical_name(label);
  if (name.empty()) return {line, "empty label", "a class name or number"};
  if (name.find_first_of("\n\r") != std::string::npos) {
    return {line, fmt::format("the label \"{}\" holds a line break", printable(name)),
            "a class name or number on one line"};
  }
  example.text.clear();
  for (const std::string_view text : texts) {
    if (trim_invisible(text).empty()) continue;
    if (!example.text.empty()) example.text.push_back(' ');
    example.text.append(text);
  }
  if (example.text.empty()) {
    return {line, "empty text", "at least one character that is not blank"};
  }
  if (name.find('\0') != std::string::npos || example.text.find('\0') != std::string::npos) {
    return {line, "NUL character in the row", "text"};
  }
  example.label = std::move(name);
  example.line = line;
  return {};
}

FileFormat resolve_format(const std::filesystem::path& path, FileFormat format) {
  if (format != FileFormat::automatic) return format;
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  const std::string extension = name.extension().string();
  if (extension == ".csv") return FileFormat::csv;
  if (extension == ".tsv" || extension == ".tab") return FileFormat::tsv;
  if (extension == ".jsonl" || extension == ".ndjson") return FileFormat::jsonl;
  throw DataError(fmt::format(
      "{}: the name does not tell the format; expected .csv, .tsv, .tab, .jsonl or .ndjson (with "
      "or without .gz), or data.format",
      path.string()));
}

std::unique_ptr<RecordReader> open_records(const std::filesystem::path& path,
                                           const DataConfig& config) {
  switch (resolve_format(path, config.format)) {
    case FileFormat::jsonl:
      return std::make_unique<JsonlRecords>(path, config);
    case FileFormat::tsv:
      return std::make_unique<CsvRecords>(path, '\t', config);
    default:
      return std::make_unique<CsvRecords>(path, ',', config);
  }
}

}  // namespace diffuse
