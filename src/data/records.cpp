#include "diffuse/data/records.hpp"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "column_names.hpp"
#include "csv_records.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "diffuse/config/load.hpp"
#include "encoding.hpp"
#include "jsonl_reader.hpp"
#include "pixel_records.hpp"
#include "separator.hpp"
#include "text_buffer.hpp"

namespace diffuse {
namespace {

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

class TextLines : public RecordReader {
 public:
  explicit TextLines(const DataInput& input) : buffer_(input) {}

  ReadStatus next(Example& example, BadRow& bad) override {
    const std::uint32_t number = buffer_.line();
    const TextBuffer::Line status = buffer_.take_line(line_);
    if (status == TextBuffer::Line::end) return ReadStatus::end;
    if (status == TextBuffer::Line::too_long) {
      bad = {number,
             fmt::format("the line is longer than {} MiB", TextBuffer::kMaxRecordBytes >> 20),
             "a text"};
      return ReadStatus::bad;
    }
    if (const auto bytes = find_bad_bytes(line_, number, "", buffer_.path())) {
      bad = *bytes;
      return ReadStatus::bad;
    }
    return make_example(nullptr, {line_}, number, example, bad);
  }
  const RecordLayout* layout() const override { return nullptr; }

 private:
  TextBuffer buffer_;
  std::string line_;
};

}  // namespace

ReadStatus make_example(const std::string* label, const std::vector<std::string_view>& texts,
                        std::uint32_t line, Example& example, BadRow& bad) {
  const auto fail = [&](std::string problem, std::string expected) {
    bad = {line, std::move(problem), std::move(expected)};
    return ReadStatus::bad;
  };
  example.label.clear();
  if (label != nullptr) {
    example.label = canonical_name(*label);
    if (example.label.empty()) return fail("empty label", "a class name or number");
    if (example.label.find_first_of("\n\r") != std::string::npos) {
      return fail(fmt::format("the label \"{}\" holds a line break", printable(example.label)),
                  "a class name or number on one line");
    }
  }
  example.text.clear();
  for (const std::string_view text : texts) {
    if (trim_invisible(text).empty()) continue;
    if (!example.text.empty()) example.text.push_back(' ');
    example.text.append(text);
  }
  if (example.text.empty()) return fail("empty text", "at least one character that is not blank");
  if (example.label.find('\0') != std::string::npos ||
      example.text.find('\0') != std::string::npos) {
    return fail("NUL character in the row", "text");
  }
  example.line = line;
  return ReadStatus::row;
}

FileFormat format_of_name(const std::filesystem::path& path) {
  std::filesystem::path name = lower_case(path.filename().string());
  if (name.extension() == ".gz") name = name.stem();
  const std::string extension = name.extension().string();
  if (extension == ".csv") return FileFormat::csv;
  if (extension == ".tsv" || extension == ".tab") return FileFormat::tsv;
  if (extension == ".jsonl" || extension == ".ndjson") return FileFormat::jsonl;
  if (extension == ".bin") return FileFormat::pixels;
  return FileFormat::automatic;
}

FileFormat resolve_format(const std::filesystem::path& path, FileFormat format) {
  if (format != FileFormat::automatic) return format;
  const FileFormat named = format_of_name(path);
  if (named != FileFormat::automatic) return named;
  const std::string lines = shell_quoted(path.stem().string() + ".jsonl");
  throw DataError(fmt::format(
      "{}: the name does not tell the format; expected .csv, .tsv, .tab, .jsonl, .ndjson or "
      ".bin (with or without .gz), or data.format{}",
      path.string(),
      lower_case(path.extension().string()) == ".json"
          ? fmt::format("; `jq -c '.[]' {} > {}` makes lines of a JSON array",
                        shell_quoted(path.string()), lines)
          : ""));
}

namespace {

/// What the training data and the config tell of the columns of another file.
ExpectedColumns expected_columns(FileFormat format, const DataConfig& config,
                                 const RecordLayout& training, bool need_label) {
  ExpectedColumns expected;
  expected.separator = format == training.format   ? training.separator
                       : format == FileFormat::tsv ? '\t'
                                                   : ',';
  const bool own = !config.label_column.empty() || !config.text_columns.empty();
  if (!training.named() && !own) expected.count = training.columns;
  if (config.header == HeaderMode::no) return expected;
  if (!config.label_column.empty()) {
    expected.names.push_back(config.label_column);
  } else if (training.named() && training.label && need_label) {
    expected.names.push_back(training.label->name);
  }
  for (const std::string& name : config.text_columns) expected.names.push_back(name);
  for (const ColumnRef& text : training.texts) {
    if (training.named() && config.text_columns.empty()) expected.names.push_back(text.name);
  }
  return expected;
}

}  // namespace

std::unique_ptr<RecordReader> open_records(const DataInput& input, const DataConfig& config,
                                           const ReadOptions& options) {
  const FileFormat format = resolve_format(input.path, config.format);
  if (format != FileFormat::jsonl && !config.soft_labels.empty() && options.need_label &&
      (!options.layout || options.goes_on))
    throw DataError(fmt::format(
        "{}: a {} file has no place for soft labels (data.soft_labels = {}); expected JSONL, a key "
        "of that name in its objects",
        input.path.string(), enum_name(format), shown_name(config.soft_labels)));
  if (format == FileFormat::jsonl) return std::make_unique<JsonlRecords>(input, config, options);
  if (format == FileFormat::pixels) return std::make_unique<PixelRecords>(input, options);
  char separator = configured_separator(config.separator);
  std::optional<ExpectedColumns> expected;
  if (options.layout) {
    expected = expected_columns(format, config, *options.layout, options.need_label);
  } else if (separator == 0 && format == FileFormat::tsv) {
    separator = '\t';
  }
  return std::make_unique<CsvRecords>(input, format, separator, std::move(expected), config,
                                      options);
}

std::unique_ptr<RecordReader> open_text_lines(const DataInput& input) {
  return std::make_unique<TextLines>(input);
}

}  // namespace diffuse
