#include "keys.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "column_kind.hpp"
#include "column_names.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

std::string place_of(const FirstObjects& objects) {
  return fmt::format("{}:{}", objects.path.string(), objects.line);
}

/// What every object holds under `key`, as far as it holds a string there.
ColumnKind kind_of_key(const FirstObjects& objects, const std::string& key) {
  std::vector<std::string_view> values;
  std::vector<const JsonLine*> lines = objects.below;
  lines.push_back(objects.first);
  for (const JsonLine* line : lines) {
    const auto value = line->object.find(key);
    if (value != line->object.end() && value->is_string())
      values.emplace_back(value->get_ref<const std::string&>());
  }
  return kind_of(values);
}

/// Places of the texts among the keys, without `label`: those with a usual name that hold a string
/// or null, else every string that is no number, date, link or identifier in every object. A usual
/// name that holds null counts: its row lacks a text, the others' need not.
std::vector<std::size_t> automatic_texts(const FirstObjects& objects,
                                         std::optional<std::size_t> label, Names& left_out) {
  const JsonLine& line = *objects.first;
  std::vector<std::size_t> known;
  std::vector<std::size_t> strings;
  std::vector<std::size_t> texts;
  for (std::size_t i = 0; i < line.keys.size(); ++i) {
    if (i == label) continue;
    if (is_text_name(line.keys[i]) && line.contents[i] != KeyContent::other) known.push_back(i);
    if (line.contents[i] == KeyContent::text) strings.push_back(i);
  }
  if (!known.empty()) return known;
  if (strings.size() < 2) return strings;
  for (const std::size_t i : strings) {
    const ColumnKind kind = kind_of_key(objects, line.keys[i]);
    if (kind == ColumnKind::text) {
      texts.push_back(i);
    } else {
      left_out.push_back(fmt::format("\"{}\": {}", printable(line.keys[i], 30), kind_name(kind)));
    }
  }
  if (!texts.empty()) return texts;
  left_out.clear();
  return strings;
}

RecordLayout layout_of(const Names& keys, std::size_t label, const std::vector<std::size_t>& texts,
                       const Names& left_out) {
  if (std::find(texts.begin(), texts.end(), label) != texts.end()) {
    throw ConfigError(
        "data.text_columns holds the label column; expected columns other than data.label_column");
  }
  RecordLayout layout;
  layout.format = FileFormat::jsonl;
  layout.label = ColumnRef{keys[label], 0};
  Names names;
  for (const std::size_t text : texts) {
    layout.texts.push_back({keys[text], 0});
    names.push_back(keys[text]);
  }
  layout.description =
      fmt::format("label is key \"{}\", text is key {}", printable(keys[label]), listing(names));
  if (!left_out.empty()) layout.description += "; not taken for text: key " + join(left_out, ", ");
  return layout;
}

}  // namespace

RecordLayout resolve_keys(const FirstObjects& objects, const DataConfig& config) {
  const Names& keys = objects.first->keys;
  const std::string place = place_of(objects);
  std::size_t label = 0;
  if (!config.label_column.empty()) {
    label = require_name(keys, config.label_column, "data.label_column", "key", place);
  } else {
    const auto found = find_label(keys);
    if (!found) {
      throw DataError(
          fmt::format("{}: there is no key {}; expected one of them, or "
                      "data.label_column to name one of {}",
                      place, label_names(), listing(keys)));
    }
    label = *found;
  }
  std::vector<std::size_t> texts;
  Names left_out;
  for (const std::string& key : config.text_columns) {
    texts.push_back(require_name(keys, key, "data.text_columns", "key", place));
  }
  if (texts.empty()) texts = automatic_texts(objects, label, left_out);
  if (texts.empty()) {
    throw DataError(fmt::format(
        "{}: no key but the label's holds a string; expected at least one text among {}", place,
        listing(keys)));
  }
  return layout_of(keys, label, texts, left_out);
}

RecordLayout find_keys(const FirstObjects& objects, const DataConfig& config,
                       const RecordLayout& model) {
  if (!model.named() || !model.label) return resolve_keys(objects, config);
  const Names& keys = objects.first->keys;
  Names missing;
  const auto take = [&](const std::string& name) {
    const auto found = find_name(keys, name);
    if (!found) missing.push_back(name);
    return found.value_or(0);
  };
  const std::size_t label =
      config.label_column.empty()
          ? take(model.label->name)
          : require_name(keys, config.label_column, "data.label_column", "key", place_of(objects));
  const bool label_missing = !missing.empty();
  std::vector<std::size_t> texts;
  for (const std::string& key : config.text_columns)
    texts.push_back(require_name(keys, key, "data.text_columns", "key", place_of(objects)));
  for (const ColumnRef& text : model.texts) {
    if (config.text_columns.empty()) texts.push_back(take(text.name));
  }
  if (missing.empty()) return layout_of(keys, label, texts, {});
  throw DataError(fmt::format(
      "{}: there is no key {}, which the model was trained with ({}); expected it among {}, or "
      "--set data.{}=NAME for what stands in its place",
      place_of(objects), listing(missing), model.columns_text(), listing(keys),
      label_missing ? "label_column" : "text_columns"));
}

std::vector<std::string> text_keys(const JsonLine& line, const DataConfig& config,
                                   const RecordLayout* model, std::string& problem) {
  Names wanted = config.text_columns;
  if (wanted.empty() && model != nullptr && model->named()) {
    for (const ColumnRef& text : model->texts) wanted.push_back(text.name);
  }
  const auto has = [&](const std::string& key) { return line.object.contains(key); };
  if (!wanted.empty() && std::all_of(wanted.begin(), wanted.end(), has)) return wanted;
  if (has("text")) return {"text"};
  Names found;
  if (wanted.empty()) {
    FirstObjects objects;
    objects.first = &line;
    Names ignored;
    for (const std::size_t i : automatic_texts(objects, find_label(line.keys), ignored))
      found.push_back(line.keys[i]);
  }
  if (found.empty()) {
    problem = wanted.empty() ? "there is no key \"text\", nor another that holds a text"
                             : fmt::format("there is no key {}{}", listing(wanted),
                                           wanted == Names{"text"} ? "" : ", nor \"text\"");
  }
  return found;
}

}  // namespace diffuse
