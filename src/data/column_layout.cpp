#include "column_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "column_kind.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "separator.hpp"

namespace diffuse {
namespace {

std::string numbered(const ColumnRef& column) {
  return column.name.empty()
             ? std::to_string(column.number)
             : fmt::format("{} (\"{}\")", column.number, printable(column.name, 30));
}

/// The columns but the label's; of these, `left_out` gets in words what is no text.
std::vector<std::size_t> other_columns(const FirstRows& rows, const RecordLayout& layout,
                                       Names& left_out) {
  std::vector<std::size_t> all;
  std::vector<std::size_t> texts;
  for (std::size_t i = 0; i < rows.first.size(); ++i) {
    if (!layout.label || i + 1 != layout.label->number) all.push_back(i);
  }
  if (all.size() < 2) return all;
  for (const std::size_t i : all) {
    std::vector<std::string_view> values;
    if (!layout.header) values.emplace_back(rows.first[i]);
    for (const FirstRows::Row* row : rows.below) {
      if (layout.header && *row == rows.first) continue;  // of `cat a.csv b.csv`
      values.emplace_back((*row)[i]);
    }
    const ColumnKind kind = kind_of(values);
    if (kind == ColumnKind::text) {
      texts.push_back(i);
    } else {
      left_out.push_back(
          fmt::format("{}: {}", numbered(column_at(rows, layout.header, i)), kind_name(kind)));
    }
  }
  if (!texts.empty()) return texts;
  left_out.clear();
  return all;
}

}  // namespace

std::string place_of(const FirstRows& rows) {
  return fmt::format("{}:{}", rows.path.string(), rows.line);
}

ColumnRef column_at(const FirstRows& rows, bool header, std::size_t place) {
  return {header ? rows.first[place] : "", place + 1};
}

void describe_layout(RecordLayout& layout, const std::string& reason, const Names& left_out) {
  std::string text = layout.header    ? "the first line is a header" + reason
                     : reason.empty() ? "no header"
                                      : reason;
  if (layout.label) text += ", label is column " + numbered(*layout.label);
  Names texts;
  for (const ColumnRef& column : layout.texts) texts.push_back(numbered(column));
  text += ", text is column " + join(texts, ", ");
  if (!left_out.empty()) text += "; not taken for text: column " + join(left_out, ", ");
  if (layout.format == FileFormat::csv && layout.separator != ',')
    text += "; the separator is " + separator_name(layout.separator);
  layout.description = std::move(text);
}

void check_label_is_no_text(const RecordLayout& layout) {
  if (!layout.label ||
      std::find(layout.texts.begin(), layout.texts.end(), *layout.label) == layout.texts.end())
    return;
  throw ConfigError(
      "data.text_columns holds the label column; expected columns other than data.label_column");
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

void refuse_one_column(const FirstRows& rows) {
  if (rows.first.size() > 1) return;
  const bool other = rows.other_separator != 0 && rows.other_separator != rows.separator;
  throw DataError(fmt::format(
      "{}: only one column with the separator {}; expected a label and at least one text ({})",
      place_of(rows), separator_name(rows.separator),
      other
          ? fmt::format("--set data.separator={} takes the {} that stands in every row",
                        rows.other_separator == '\t' ? "tab" : shell_quoted({rows.other_separator}),
                        separator_name(rows.other_separator))
          : "are data.separator and data.format right?"));
}

void resolve_texts(const FirstRows& rows, const DataConfig& config, RecordLayout& layout,
                   Names& left_out) {
  std::vector<std::size_t> texts;
  for (const std::string& column : config.text_columns)
    texts.push_back(configured_column(rows, layout.header, column, "data.text_columns"));
  for (std::size_t i = 0; config.text_columns.empty() && layout.header && i < rows.first.size();
       ++i) {
    if (is_text_name(rows.first[i]) && !(layout.label && i + 1 == layout.label->number))
      texts.push_back(i);
  }
  if (texts.empty()) texts = other_columns(rows, layout, left_out);
  layout.texts.clear();
  for (const std::size_t i : texts) layout.texts.push_back(column_at(rows, layout.header, i));
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
