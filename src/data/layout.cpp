#include "diffuse/data/layout.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json_fields.hpp"
#include "column_names.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "separator.hpp"

namespace diffuse {
namespace {

/// A data set has fewer rows, so that sums of such counts are far from what an integer holds.
constexpr std::int64_t kMostCountedRows = std::int64_t{1} << 32;

using LayoutJson = nlohmann::ordered_json;

LayoutJson column_json(const ColumnRef& column) {
  LayoutJson json = {{"name", column.name}, {"number", column.number}};
  if (column.occurrence > 1) json["occurrence"] = column.occurrence;
  return json;
}

ColumnRef parse_column(const JsonFields& fields, const std::string& source) {
  const std::int64_t occurrence = fields.optional_count("occurrence").value_or(1);
  if (occurrence < 1)
    throw DataError(source + ": \"occurrence\" is 0; expected a whole number from 1 on.");
  return {fields.text("name"), static_cast<std::size_t>(fields.count("number")),
          static_cast<std::size_t>(occurrence)};
}

/// Rows are read by these numbers where there are no names.
void check_column_numbers(const RecordLayout& layout, const std::string& source) {
  if (layout.named()) return;
  const auto check = [&](const ColumnRef& column, std::string_view what) {
    if (column.number >= 1 && column.number <= layout.columns) return;
    throw DataError(fmt::format("{}: {} is column {} of {}; expected one from 1 to {}.", source,
                                what, column.number, layout.columns, layout.columns));
  };
  if (layout.label) check(*layout.label, "the label");
  for (const ColumnRef& text : layout.texts) check(text, "a text");
}

void check_row_count(std::int64_t rows, const std::string& source) {
  if (rows >= kMostCountedRows)
    throw DataError(fmt::format("{}: it counts {} rows; expected fewer than 2^32.", source, rows));
}

FileFormat parse_format(const std::string& name, const std::string& source) {
  for (const FileFormat format :
       {FileFormat::csv, FileFormat::tsv, FileFormat::jsonl, FileFormat::pixels}) {
    if (name == enum_name(format)) return format;
  }
  throw DataError(fmt::format("{}: \"format\" is \"{}\"; expected csv, tsv, jsonl or pixels.",
                              source, printable(name)));
}

}  // namespace

std::string RecordLayout::columns_text() const {
  std::vector<std::string> names;
  for (const ColumnRef& text : texts) names.push_back(shown_column(text));
  return (label ? "label " + shown_column(*label) + ", text " : "text ") + join(names, ", ");
}

std::vector<float> label_log_odds(const DataFacts& facts) {
  std::vector<float> odds;
  odds.reserve(facts.class_rows.size());
  for (const std::int64_t with : facts.class_rows) {
    // Half a row more on either side, so that a label of all rows, or of none, has odds, too.
    const double own = static_cast<double>(with) + 0.5;
    const double others = static_cast<double>(std::max<std::int64_t>(facts.rows - with, 0)) + 0.5;
    odds.push_back(static_cast<float>(std::log(own / others)));
  }
  return odds;
}

std::string data_facts_json(const DataFacts& facts) {
  const RecordLayout& layout = facts.layout;
  LayoutJson json;
  json["format"] = enum_name(layout.format);
  json["separator"] = std::string(1, layout.separator);
  json["header"] = layout.header;
  json["columns"] = layout.columns;
  json["label"] = layout.label ? column_json(*layout.label) : LayoutJson();
  json["texts"] = LayoutJson::array();
  for (const ColumnRef& text : layout.texts) json["texts"].push_back(column_json(text));
  json["description"] = layout.description;
  json["class_rows"] = facts.class_rows;
  if (facts.rows > 0) json["rows"] = facts.rows;
  return json.dump(2, ' ', false, LayoutJson::error_handler_t::replace) + "\n";
}

DataFacts parse_data_facts(std::string_view text, const std::string& source) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw DataError(source + ": not a JSON object.");
  const JsonFields fields(json, source);
  DataFacts facts;
  RecordLayout& layout = facts.layout;
  layout.format = parse_format(fields.text("format"), source);
  const std::string separator = fields.text("separator");
  if (separator.size() != 1)
    throw DataError(source + ": \"separator\" is not one character; expected one.");
  if (!may_separate(separator.front()))
    throw DataError(fmt::format(
        "{}: \"separator\" is \"{}\"; expected a character of ASCII that is no quote and no line "
        "break.",
        source, printable(separator)));
  layout.separator = separator.front();
  layout.header = fields.flag("header");
  layout.columns = static_cast<std::size_t>(fields.count("columns"));
  if (const auto label = fields.object_or_null("label"))
    layout.label = parse_column(*label, source);
  const auto texts = json.find("texts");
  if (texts == json.end() || !texts->is_array())
    throw DataError(source + ": \"texts\" is missing; expected a list of columns.");
  for (const auto& entry : *texts) {
    if (!entry.is_object())
      throw DataError(source + ": \"texts\" holds something else than an object.");
    layout.texts.push_back(parse_column(JsonFields(entry, source + ": texts"), source));
  }
  if (layout.columns > 0 && layout.texts.empty())
    throw DataError(source + ": \"texts\" is empty; expected the columns of the texts.");
  check_column_numbers(layout, source);
  layout.description = fields.text("description");
  facts.class_rows = fields.counts("class_rows");
  facts.rows = fields.optional_count("rows").value_or(0);
  check_row_count(facts.rows, source);
  for (const std::int64_t rows : facts.class_rows) check_row_count(rows, source);
  return facts;
}

}  // namespace diffuse
