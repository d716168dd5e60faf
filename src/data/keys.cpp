#include "keys.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "column_kind.hpp"
#include "column_layout.hpp"
#include "column_names.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

std::string place_of(const FirstObjects& objects) {
  return fmt::format("{}:{}", objects.path.string(), objects.line);
}

/// The keys of all objects, in the order in which they come up, and what they hold.
struct KeysSeen {
  struct Content {
    std::size_t objects = 0;
    std::size_t texts = 0;
    std::size_t nulls = 0;
    std::vector<std::string_view> values;  // the texts

    bool holds_texts() const { return texts > 0 && 2 * texts >= objects - nulls; }
    /// The rows with null lack the text, the others' need not.
    bool may_hold_texts() const { return holds_texts() || objects == nulls; }
  };
  Names names;
  std::vector<Content> contents;
  std::size_t objects = 0;

  explicit KeysSeen(const FirstObjects& all) {
    add(*all.first);
    for (const JsonLine* line : all.below) add(*line);
  }
  bool everywhere(std::size_t key) const { return contents[key].objects == objects; }

 private:
  void add(const JsonLine& line) {
    ++objects;
    for (std::size_t i = 0; i < line.keys.size(); ++i) {
      const auto [at, added] = places_.try_emplace(line.keys[i], names.size());
      if (added) {
        names.push_back(line.keys[i]);
        contents.emplace_back();
      }
      Content& content = contents[at->second];
      ++content.objects;
      content.nulls += line.contents[i] == KeyContent::null;
      if (line.contents[i] != KeyContent::text) continue;
      ++content.texts;
      content.values.emplace_back(line.object[line.keys[i]].get_ref<const std::string&>());
    }
  }

  std::unordered_map<std::string, std::size_t> places_;
};

/// The texts among the keys, without `label`: those with a usual name, else every one that holds
/// texts by themselves.
TextChoice automatic_texts(const KeysSeen& keys, std::optional<std::size_t> label) {
  std::vector<std::size_t> known;
  std::vector<std::size_t> strings;
  for (std::size_t i = 0; i < keys.names.size(); ++i) {
    if (i == label) continue;
    if (is_text_name(keys.names[i]) && keys.contents[i].may_hold_texts()) known.push_back(i);
    if (keys.contents[i].holds_texts()) strings.push_back(i);
  }
  return choose_texts(
      known.empty() ? strings : known, !known.empty(),
      [&](std::size_t i) { return kind_of(keys.contents[i].values); },
      [&](std::size_t i) { return "key " + shown_name(keys.names[i]); });
}

/// Whether one of the objects has a soft label.
bool has_soft_labels(const KeysSeen& keys, const DataConfig& config) {
  return !config.soft_labels.empty() && find_name(keys.names, config.soft_labels);
}

/// `label`: nothing where soft labels alone are there.
RecordLayout layout_of(const KeysSeen& keys, std::optional<std::size_t> label,
                       const TextChoice& choice, const DataConfig& config,
                       const std::string& place) {
  RecordLayout layout;
  layout.format = FileFormat::jsonl;
  if (label) layout.label = ColumnRef{keys.names[*label], 0};
  if (!config.weight_column.empty())
    layout.weight = ColumnRef{keys.names[require_name(keys.names, config.weight_column,
                                                      "data.weight_column", "key", place)],
                              0};
  Names shown;
  for (const std::size_t text : choice.texts) {
    layout.texts.push_back({keys.names[text], 0});
    shown.push_back(shown_name(keys.names[text]) +
                    (keys.everywhere(text) ? "" : " (not in every row)"));
  }
  check_columns_differ(layout);
  const bool soft = has_soft_labels(keys, config);
  layout.description = fmt::format(
      "{}{}text is key {}{}",
      label ? fmt::format("label is key {}, ", shown_name(keys.names[*label])) : "",
      soft ? fmt::format("soft label is key {}, ", shown_name(config.soft_labels)) : "",
      join(shown, ", "),
      layout.weight ? fmt::format(", weight is key {}", shown_name(layout.weight->name)) : "");
  for (const std::string& note : choice.notes) layout.description += "; " + note;
  return layout;
}

}  // namespace

RecordLayout resolve_keys(const FirstObjects& objects, const DataConfig& config) {
  const KeysSeen keys(objects);
  const std::string place = place_of(objects);
  const bool soft = has_soft_labels(keys, config);
  std::optional<std::size_t> label;
  if (!config.label_column.empty() && !(soft && !find_name(keys.names, config.label_column))) {
    label = require_name(keys.names, config.label_column, "data.label_column", "key", place);
  } else if (config.label_column.empty()) {
    label = find_label(keys.names);
    if (!label && !soft) {
      throw DataError(
          fmt::format("{}: there is no key {}; expected one of them, or "
                      "data.label_column to name one of {}",
                      place, label_names(), listing(keys.names)));
    }
  }
  TextChoice choice;
  for (const std::string& key : config.text_columns) {
    choice.texts.push_back(require_name(keys.names, key, "data.text_columns", "key", place));
  }
  if (choice.texts.empty()) choice = automatic_texts(keys, label);
  if (choice.texts.empty()) {
    throw DataError(fmt::format(
        "{}: no key but the label's holds a string; expected at least one text among {}", place,
        listing(keys.names)));
  }
  return layout_of(keys, label, choice, config, place);
}

RecordLayout find_keys(const FirstObjects& objects, const DataConfig& config,
                       const RecordLayout& model) {
  if (!model.named() || !model.label) return resolve_keys(objects, config);
  const KeysSeen keys(objects);
  Names missing;
  const auto take = [&](const ColumnRef& column) {
    const auto found = find_column(keys.names, column);
    if (!found) missing.push_back(shown_column(column));
    return found.value_or(0);
  };
  const bool soft_alone = has_soft_labels(keys, config) && config.label_column.empty() &&
                          !find_column(keys.names, *model.label);
  std::optional<std::size_t> label;
  if (!soft_alone)
    label = config.label_column.empty()
                ? take(*model.label)
                : require_name(keys.names, config.label_column, "data.label_column", "key",
                               place_of(objects));
  const bool label_missing = !missing.empty();
  TextChoice choice;
  for (const std::string& key : config.text_columns)
    choice.texts.push_back(
        require_name(keys.names, key, "data.text_columns", "key", place_of(objects)));
  for (const ColumnRef& text : model.texts) {
    if (config.text_columns.empty()) choice.texts.push_back(take(text));
  }
  if (missing.empty()) return layout_of(keys, label, choice, config, place_of(objects));
  const std::string advice = fmt::format(", or --set data.{}=NAME for what stands in its place",
                                         label_missing ? "label_column" : "text_columns");
  throw DataError(fmt::format(
      "{}: there is no key {}, which the model was trained with ({}); expected it among {}{}",
      place_of(objects), join(missing, ", "), model.columns_text(), listing(keys.names),
      objects.own_settings ? advice : ""));
}

std::vector<std::string> text_keys(const JsonLine& line, const DataConfig& config,
                                   const RecordLayout* model, std::string& problem) {
  std::vector<ColumnRef> wanted;
  for (const std::string& name : config.text_columns) wanted.push_back({name, 0});
  if (wanted.empty() && model != nullptr && model->named()) wanted = model->texts;
  Names found;
  Names names;
  for (const ColumnRef& column : wanted) {
    names.push_back(column.name);
    if (const auto place = find_column(line.keys, column)) found.push_back(line.keys[*place]);
  }
  if (!found.empty()) return found;
  if (line.object.contains("text")) return {"text"};
  if (wanted.empty()) {
    FirstObjects objects;
    objects.first = &line;
    const KeysSeen keys(objects);
    for (const std::size_t i : automatic_texts(keys, find_label(line.keys)).texts)
      found.push_back(line.keys[i]);
  }
  if (found.empty()) {
    problem = wanted.empty() ? "there is no key \"text\", nor another that holds a text"
                             : fmt::format("there is no key {}{}", listing(names),
                                           names == Names{"text"} ? "" : ", nor \"text\"");
  }
  return found;
}

}  // namespace diffuse
