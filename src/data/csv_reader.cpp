#include "csv_reader.hpp"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "separator.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::string_view kDoubled =
    "a quote inside a field doubled and the field in quotes (data.quote=none where quotes are "
    "plain characters)";

std::string too_long() {
  return fmt::format("the record is longer than {} MiB", TextBuffer::kMaxRecordBytes >> 20);
}

}  // namespace

bool CsvReader::fail(std::size_t quote, std::string problem, std::string expected, BadRow& bad) {
  bad = {buffer_.line_at(quote), std::move(problem), std::move(expected)};
  buffer_.consume_line(quote);
  return false;
}

bool CsvReader::read_quoted(std::size_t& place, CsvRecord& record, BadRow& bad) {
  const std::size_t opened = place++;
  const std::size_t column = record.fields.size();
  std::string& field = record.fields.back();
  for (;;) {
    const std::size_t quote = buffer_.find('"', place);
    if (quote == kNone) {
      return fail(
          opened,
          fmt::format(
              "the quote that opens column {} is never closed{}", column,
              buffer_.held().size() > TextBuffer::kMaxRecordBytes ? ", and " + too_long() : ""),
          "a closing quote (data.quote=none where quotes are plain characters)", bad);
    }
    field.append(buffer_.held().substr(place, quote - place));
    place = quote + 1;
    if (buffer_.peek(place) != '"') break;
    field.push_back('"');
    ++place;
  }
  place = behind_padding(place);
  if (place > TextBuffer::kMaxRecordBytes)
    return fail(opened, too_long(), "a separator or a line break behind the closing quote", bad);
  if (buffer_.peek(place) == '\r') {
    const int behind = buffer_.peek(place + 1);
    if (behind == '\n' || behind < 0) ++place;
  }
  const int next = buffer_.peek(place);
  if (next < 0 || next == '\n' || next == static_cast<unsigned char>(separator_)) return true;
  const std::uint32_t opened_line = buffer_.line_at(opened);
  const std::uint32_t closed_line = buffer_.line_at(place - 1);
  return fail(opened,
              closed_line == opened_line
                  ? fmt::format("stray quote: text behind the closing quote of column {}", column)
                  : fmt::format("the quote that opens column {} is not closed before another "
                                "quote on line {} with text behind it",
                                column, closed_line),
              fmt::format("a closing quote, and {}", kDoubled), bad);
}

bool CsvReader::read_plain(std::size_t& place, CsvRecord& record, BadRow& bad) {
  const std::array<char, 3> ends = {separator_, '\n', quote_ == QuoteMode::none ? '\n' : '"'};
  const std::size_t begin = place;
  const std::size_t end = buffer_.find_any(ends, begin);
  if (end == kNone && buffer_.held().size() > TextBuffer::kMaxRecordBytes) {
    return fail(begin, too_long(), "a line break", bad);
  }
  place = end == kNone ? buffer_.held().size() : end;
  const bool ends_record = end == kNone || buffer_.held()[end] == '\n';
  if (!ends_record && buffer_.held()[end] != separator_) {
    return fail(end, fmt::format("stray quote inside column {}", record.fields.size()),
                std::string(kDoubled), bad);
  }
  std::string_view field = buffer_.held().substr(begin, place - begin);
  if (ends_record && !field.empty() && field.back() == '\r') field.remove_suffix(1);
  record.fields.back() = field;
  return true;
}

/// A first line `sep=;`, in any case: spreadsheets write it. With no character behind, or several,
/// it is a row like others.
void CsvReader::take_separator_line() {
  constexpr std::string_view kSep = "sep=";
  for (std::size_t i = 0; i < kSep.size(); ++i) {
    const int c = buffer_.peek(i);
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != kSep[i]) return;
  }
  const auto ends_at = [this](std::size_t place) {
    const bool cr = buffer_.peek(place) == '\r';
    const int c = buffer_.peek(cr ? place + 1 : place);
    return c < 0 || c == '\n';
  };
  if (ends_at(kSep.size()) || !ends_at(kSep.size() + 1)) return;
  const auto given = static_cast<char>(buffer_.peek(kSep.size()));
  if (set_) {  // a spreadsheet wrote the line, the setting was meant
    buffer_.consume_line(0);
    return;
  }
  if (!may_separate(given))
    throw DataError(
        fmt::format("{}:{}: the first line sets the separator \"{}\"; expected one character of "
                    "ASCII that is no quote and no line break, such as sep=;",
                    path().string(), buffer_.line(), printable({&given, 1})));
  separator_ = given;
  buffer_.consume_line(0);
}

void CsvReader::begin() {
  begun_ = true;
  buffer_.consume_byte_order_mark();
  take_separator_line();
  buffer_.peek(0);
  refuse_json();
  other_separator_ = find_separator(buffer_.held(), quote_);
  if (separator_ == 0 && expected_) {
    separator_ = find_separator(buffer_.held(), quote_, *expected_);
  } else if (separator_ == 0) {
    separator_ = other_separator_ == 0 ? ',' : other_separator_;
  }
}

/// Objects with names in quotes are stray quotes to CSV.
void CsvReader::refuse_json() {
  if (quote_ == QuoteMode::none) return;
  std::string start;
  for (const char c : buffer_.held().substr(0, 1000)) {
    if (std::string_view(" \t\r\n").find(c) == kNone) start.push_back(c);
  }
  const bool array = start.starts_with("[{\"");
  if (!array && !start.starts_with("{\"")) return;
  const std::string file = shell_quoted(path().string());
  const std::string lines = shell_quoted(path().stem().string() + ".jsonl");
  throw DataError(
      fmt::format("{}:{}: the file holds {}; expected CSV or TSV, or {}", path().string(),
                  buffer_.line(), array ? "a JSON array" : "JSON objects",
                  array ? fmt::format("a JSON object a line: `jq -c '.[]' {} > {}`", file, lines)
                        : "a name that ends in .jsonl (or --set data.format=jsonl)"));
}

ReadStatus CsvReader::next(CsvRecord& record, BadRow& bad) {
  if (!begun_) begin();
  buffer_.consume_empty_lines();
  if (buffer_.peek(0) < 0) return ReadStatus::end;
  record.fields.clear();
  record.raw.clear();
  record.line = buffer_.line();
  bool quoted = false;
  std::size_t place = 0;
  for (;;) {
    record.fields.emplace_back();
    const std::size_t opens = behind_padding(place);
    const bool in_quotes = quote_ == QuoteMode::standard && buffer_.peek(opens) == '"';
    if (in_quotes) place = opens;
    quoted |= in_quotes;
    const bool good = in_quotes ? read_quoted(place, record, bad) : read_plain(place, record, bad);
    if (!good) return ReadStatus::bad;
    if (place > TextBuffer::kMaxRecordBytes) {
      bad = {record.line, too_long(), "a line break"};
      buffer_.consume_line(place);
      return ReadStatus::bad;
    }
    const int next = buffer_.peek(place);
    if (next == static_cast<unsigned char>(separator_)) {
      ++place;
      continue;
    }
    if (quoted) {
      const std::string_view all = buffer_.held().substr(0, place);
      if (all.find('\n') != kNone) record.raw = all;
    }
    buffer_.consume(next < 0 ? place : place + 1);
    return ReadStatus::row;
  }
}

}  // namespace diffuse
