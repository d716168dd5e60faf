#include "columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "diffuse/data/text_keys.hpp"

namespace diffuse {
namespace {

using Names = std::vector<std::string>;

constexpr std::array<std::string_view, 6> kLabelNames = {"label",  "class", "category",
                                                         "target", "topic", "sentiment"};
constexpr std::array<std::string_view, 12> kTextNames = {
    "text",     "title",  "headline", "description", "content", "sentence",
    "question", "review", "body",     "message",     "tweet",   "comment"};

/// What names of columns are compared by.
std::string folded(std::string_view text) { return folded_name(text); }

template <class Known>
bool is_one_of(std::string_view field, const Known& known) {
  return std::find(known.begin(), known.end(), folded(field)) != known.end();
}

/// The number in a column setting such as "2"; nothing if it is a name.
std::optional<std::size_t> column_number(const std::string& column) {
  std::size_t number = 0;
  const char* end = column.data() + column.size();
  const auto [stop, error] = std::from_chars(column.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::string listing(const Names& names) {
  constexpr std::size_t kShown = 20;
  Names shown;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    shown.push_back(fmt::format("\"{}\"", printable(names[i], 30)));
  }
  if (names.size() > kShown) shown.push_back("…");
  return join(shown, ", ");
}

/// Place of the name, exactly as written before in another case.
std::optional<std::size_t> find_name(const Names& names, const std::string& wanted) {
  auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end()) {
    found = std::find_if(names.begin(), names.end(),
                         [&](const std::string& name) { return folded(name) == folded(wanted); });
  }
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

std::size_t require_name(const Names& names, const std::string& wanted, std::string_view key,
                         std::string_view kind, const std::string& place) {
  if (const auto found = find_name(names, wanted)) return *found;
  const auto near = nearest_name(wanted, names);
  throw DataError(fmt::format(
      "{}: there is no {} \"{}\" ({}){}; expected one of {}", place, kind, printable(wanted), key,
      near ? fmt::format(", did you mean \"{}\"?", printable(*near)) : "", listing(names)));
}

/// Place of the label by its usual names, the most telling of them first.
std::optional<std::size_t> find_label(const Names& names) {
  for (const std::string_view known : kLabelNames) {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const std::string& name) { return folded(name) == known; });
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  return std::nullopt;
}

/// Places of the texts among keys, without `label`: those with a usual name that hold a string or
/// null, else every string.
std::vector<std::size_t> find_texts(const Names& keys, const std::vector<KeyContent>& contents,
                                    std::optional<std::size_t> label) {
  std::vector<std::size_t> texts;
  for (const bool known_only : {true, false}) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i == label) continue;
      const bool known = is_one_of(keys[i], kTextNames) && contents[i] != KeyContent::other;
      if (known_only ? known : contents[i] == KeyContent::text) texts.push_back(i);
    }
    if (!texts.empty()) break;
  }
  return texts;
}

void check_label_is_no_text(std::size_t label, const std::vector<std::size_t>& texts) {
  if (std::find(texts.begin(), texts.end(), label) == texts.end()) return;
  throw ConfigError(
      "data.text_columns holds the label column; expected columns other than data.label_column");
}

/// The label's column where a header names none: the only one that is not a text's, else the first.
/// A first column with a text's name is no label.
std::size_t unnamed_label(const Names& header, const std::string& place) {
  Names others;
  std::size_t last = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (is_one_of(header[i], kTextNames)) continue;
    others.push_back(header[i]);
    last = i;
  }
  if (others.size() == 1) return last;
  if (!is_one_of(header.front(), kTextNames)) return 0;
  throw DataError(
      fmt::format("{}: which column holds the label? Set data.label_column to one of {}", place,
                  listing(others.empty() ? header : others)));
}

bool is_header(const Names& first, const DataConfig& config) {
  if (config.header != HeaderMode::automatic) return config.header == HeaderMode::yes;
  // A configured name can only be found in a header: if it is not there, that is the error.
  Names configured = config.text_columns;
  if (!config.label_column.empty()) configured.push_back(config.label_column);
  if (std::any_of(configured.begin(), configured.end(),
                  [](const std::string& column) { return !column_number(column); })) {
    return true;
  }
  return std::any_of(first.begin(), first.end(), [](const std::string& field) {
    return is_one_of(field, kLabelNames) || is_one_of(field, kTextNames);
  });
}

}  // namespace

Columns resolve_columns(const Names& first, const DataConfig& config,
                        const std::filesystem::path& path, std::size_t line) {
  const std::string place = fmt::format("{}:{}", path.string(), line);
  Columns columns;
  columns.count = first.size();
  columns.header = is_header(first, config);
  if (columns.count < 2) {
    throw DataError(fmt::format(
        "{}: only one column; expected a label and at least one text (is data.format right?)",
        place));
  }
  const auto resolve = [&](const std::string& column, std::string_view key) {
    if (const auto number = column_number(column)) {
      if (*number >= 1 && *number <= columns.count) return *number - 1;
      throw DataError(fmt::format("{}: there is no column {} ({}); expected 1 to {}", place,
                                  *number, key, columns.count));
    }
    if (!columns.header) {
      throw ConfigError(fmt::format(
          "{} is the name \"{}\", but data.header is no; expected a column number from 1", key,
          printable(column)));
    }
    return require_name(first, column, key, "column", place);
  };
  if (!config.label_column.empty()) {
    columns.label = resolve(config.label_column, "data.label_column");
  } else if (columns.header) {
    const auto found = find_label(first);
    columns.label = found ? *found : unnamed_label(first, place);
  }
  for (const std::string& column : config.text_columns) {
    columns.texts.push_back(resolve(column, "data.text_columns"));
  }
  const auto add_others = [&](auto wanted) {
    for (std::size_t i = 0; i < columns.count; ++i) {
      if (i != columns.label && wanted(first[i])) columns.texts.push_back(i);
    }
  };
  if (columns.texts.empty() && columns.header) {
    add_others([](const std::string& name) { return is_one_of(name, kTextNames); });
  }
  if (columns.texts.empty()) {
    add_others([](const std::string&) { return true; });
  }
  check_label_is_no_text(columns.label, columns.texts);

  const auto describe = [&](std::size_t column) {
    return columns.header ? fmt::format("{} (\"{}\")", column + 1, printable(first[column], 30))
                          : std::to_string(column + 1);
  };
  Names texts;
  for (const std::size_t column : columns.texts) texts.push_back(describe(column));
  columns.description = fmt::format("{}, label is column {}, text is column {}",
                                    columns.header ? "the first line is a header" : "no header",
                                    describe(columns.label), join(texts, ", "));
  return columns;
}

Keys resolve_keys(const Names& keys, const std::vector<KeyContent>& contents,
                  const DataConfig& config, const std::filesystem::path& path, std::size_t line) {
  const std::string place = fmt::format("{}:{}", path.string(), line);
  std::size_t label = 0;
  if (!config.label_column.empty()) {
    label = require_name(keys, config.label_column, "data.label_column", "key", place);
  } else {
    const auto found = find_label(keys);
    if (!found) {
      throw DataError(
          fmt::format("{}: there is no key {}; expected one of them, or "
                      "data.label_column to name one of {}",
                      place, fmt::join(kLabelNames, ", "), listing(keys)));
    }
    label = *found;
  }
  std::vector<std::size_t> texts;
  for (const std::string& key : config.text_columns) {
    texts.push_back(require_name(keys, key, "data.text_columns", "key", place));
  }
  if (texts.empty()) texts = find_texts(keys, contents, label);
  if (texts.empty()) {
    throw DataError(fmt::format(
        "{}: no key but the label's holds a string; expected at least one text among {}", place,
        listing(keys)));
  }
  check_label_is_no_text(label, texts);
  Keys result{keys[label], {}, {}};
  for (const std::size_t text : texts) result.texts.push_back(keys[text]);
  result.description = fmt::format("label is key \"{}\", text is key {}", printable(result.label),
                                   listing(result.texts));
  return result;
}

Names automatic_text_keys(const Names& keys, const std::vector<KeyContent>& contents) {
  Names names;
  for (const std::size_t place : find_texts(keys, contents, find_label(keys)))
    names.push_back(keys[place]);
  return names;
}

}  // namespace diffuse
