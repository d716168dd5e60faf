#include "column_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "separator.hpp"

namespace diffuse {
namespace {

std::string numbered(const ColumnRef& column) {
  return column.name.empty() ? std::to_string(column.number)
                             : fmt::format("{} ({})", column.number, shown_name(column.name));
}

}  // namespace

std::string place_of(const FirstRows& rows) {
  return fmt::format("{}:{}", rows.path.string(), rows.line);
}

ColumnKind kind_of_column(const FirstRows& rows, bool header, std::size_t place) {
  std::vector<std::string_view> values;
  if (!header) values.emplace_back(rows.first[place]);
  for (const FirstRows::Row* row : rows.below) {
    if (header && same_header(*row, rows.first)) continue;
    values.emplace_back((*row)[place]);
  }
  return kind_of(values);
}

bool is_row_index(const FirstRows& rows) {
  const std::string name = folded_name(rows.first.front());
  if (rows.first.size() < 3 || rows.below.empty()) return false;
  if (!name.empty() && !name.starts_with("unnamed:")) return false;
  std::unordered_set<std::string_view> numbers;
  return std::all_of(rows.below.begin(), rows.below.end(), [&](const FirstRows::Row* row) {
    return same_header(*row, rows.first) ||
           (column_number(row->front()) && numbers.insert(row->front()).second);
  });
}

ColumnRef column_at(const FirstRows& rows, bool header, std::size_t place) {
  if (!header) return {"", place + 1};
  return {rows.first[place], place + 1, count_name(rows.first, place + 1, rows.first[place])};
}

void describe_layout(RecordLayout& layout, const std::string& reason, const Names& notes) {
  std::string text = layout.header    ? "the first line is a header" + reason
                     : reason.empty() ? "no header"
                                      : reason;
  if (layout.label) text += ", label is column " + numbered(*layout.label);
  Names texts;
  for (const ColumnRef& column : layout.texts) texts.push_back(numbered(column));
  text += ", text is column " + join(texts, ", ");
  if (layout.weight) text += ", weight is column " + numbered(*layout.weight);
  for (const std::string& note : notes) text += "; " + note;
  if (layout.separator != (layout.format == FileFormat::tsv ? '\t' : ','))
    text += "; the separator is " + separator_name(layout.separator);
  layout.description = std::move(text);
}

void check_columns_differ(const RecordLayout& layout) {
  const auto is_text = [&](const std::optional<ColumnRef>& column) {
    return column &&
           std::find(layout.texts.begin(), layout.texts.end(), *column) != layout.texts.end();
  };
  if (is_text(layout.label))
    throw ConfigError(
        "data.text_columns holds the label column; expected columns other than data.label_column");
  if (is_text(layout.weight))
    throw ConfigError(
        "data.text_columns holds the weight column; expected columns other than "
        "data.weight_column");
  if (layout.weight && layout.weight == layout.label)
    throw ConfigError("data.weight_column is the label column; expected another column");
}

std::size_t configured_column(const FirstRows& rows, bool header, const std::string& column,
                              std::string_view key) {
  if (const auto number = column_number(column)) {
    if (*number >= 1 && *number <= rows.first.size()) return *number - 1;
    throw DataError(fmt::format("{}: there is no column {} ({}); expected 1 to {}", place_of(rows),
                                *number, key, rows.first.size()));
  }
  if (!header) {
    throw ConfigError(
        fmt::format("{} is the name \"{}\", but data.header is no; expected a column number from 1",
                    key, printable(column)));
  }
  return require_name(rows.first, column, key, "column", place_of(rows));
}

std::string own_setting(const FirstRows& rows, const std::string& advice) {
  return rows.own_settings ? advice : "";
}

bool another_separator_fits(const FirstRows& rows) {
  return rows.other_separator != 0 && rows.other_separator != rows.separator;
}

void refuse_one_column(const FirstRows& rows) {
  if (rows.first.size() > 1) return;
  std::string advice = "are the separator and the format right?";
  if (rows.own_settings) advice = "are data.separator and data.format right?";
  if (another_separator_fits(rows)) {
    const auto setting = [](char separator) {
      return "--set data.separator=" + (separator == '\t' ? "tab" : shell_quoted({separator}));
    };
    advice = fmt::format("the {} stands in every row", separator_name(rows.other_separator));
    advice +=
        own_setting(rows, fmt::format(": {} takes it, {} leaves each row whole",
                                      setting(rows.other_separator), setting(rows.separator)));
  }
  throw DataError(fmt::format(
      "{}: only one column with the separator {}; expected a label and at least one text ({})",
      place_of(rows), separator_name(rows.separator), advice));
}

void resolve_texts(const FirstRows& rows, const DataConfig& config, RecordLayout& layout,
                   Names& notes) {
  const auto place = [&](const std::string& column) {
    return configured_column(rows, layout.header, column, "data.text_columns");
  };
  layout.texts.clear();
  for (const std::string& column : config.text_columns)
    layout.texts.push_back(column_at(rows, layout.header, place(column)));
  if (!layout.texts.empty()) return;
  const bool index = layout.header && is_row_index(rows);
  std::vector<std::size_t> all;
  std::vector<std::size_t> named;
  for (std::size_t i = index ? 1 : 0; i < rows.first.size(); ++i) {
    if (layout.label && i + 1 == layout.label->number) continue;
    if (layout.weight && i + 1 == layout.weight->number) continue;
    all.push_back(i);
    if (layout.header && is_text_name(rows.first[i])) named.push_back(i);
  }
  TextChoice choice = choose_texts(
      named.empty() ? all : named, !named.empty(),
      [&](std::size_t i) { return kind_of_column(rows, layout.header, i); },
      [&](std::size_t i) { return "column " + numbered(column_at(rows, layout.header, i)); });
  for (const std::size_t i : choice.texts)
    layout.texts.push_back(column_at(rows, layout.header, i));
  notes = std::move(choice.notes);
  if (index) notes.emplace_back("column 1 numbers the rows and is not read");
}

RecordLayout started_layout(const FirstRows& rows, bool header) {
  RecordLayout layout;
  layout.format = rows.format;
  layout.separator = rows.separator;
  layout.columns = rows.first.size();
  layout.header = header;
  return layout;
}

}  // namespace diffuse
