#include "column_names.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "diffuse/base/utf8.hpp"

namespace diffuse {
namespace {

constexpr std::array<std::string_view, 9> kLabelNames = {
    "label", "class", "category", "target", "topic", "sentiment", "labels", "categories", "tags"};
constexpr std::array<std::string_view, 14> kTextNames = {
    "text",   "title", "headline", "description", "content", "sentence", "question",
    "review", "body",  "message",  "tweet",       "comment", "subject",  "summary"};
constexpr std::array<std::string_view, 25> kOtherNames = {
    "id",     "index", "idx",       "no",      "nr",         "number",     "key",  "uuid", "guid",
    "date",   "time",  "timestamp", "created", "created_at", "updated_at", "year", "url",  "link",
    "author", "user",  "username",  "source",  "lang",       "language",   "split"};

template <class Known>
bool is_one_of(std::string_view name, const Known& known) {
  return std::find(known.begin(), known.end(), folded_name(name)) != known.end();
}

/// Whether two names are one, as folded_name tells; quick, for it is asked of every row.
bool same_name(const std::string& a, const std::string& b) {
  constexpr std::size_t kMostUnseen = 100;  // bytes; texts are far longer than names
  if (a == b) return true;
  if (a.size() > b.size() + kMostUnseen || b.size() > a.size() + kMostUnseen) return false;
  const auto is_ascii = [](const std::string& text) {
    const char* const end = text.data() + text.size();
    return skip_ascii(text.data(), end) == end;
  };
  if (!is_ascii(a) || !is_ascii(b)) return folded_name(a) == folded_name(b);
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  const std::string_view left = trim_invisible(a);
  const std::string_view right = trim_invisible(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

bool is_text_name(std::string_view name) { return is_one_of(name, kTextNames); }
bool is_label_name(std::string_view name) { return is_one_of(name, kLabelNames); }
bool is_other_name(std::string_view name) {
  const std::string folded = folded_name(name);
  return folded.ends_with("_id") || folded.starts_with("unnamed:") ||
         is_one_of(folded, kOtherNames);
}
std::string label_names() { return fmt::format("{}", fmt::join(kLabelNames, ", ")); }

std::optional<std::size_t> column_number(const std::string& column) {
  std::size_t number = 0;
  const char* end = column.data() + column.size();
  const auto [stop, error] = std::from_chars(column.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::string shown_name(std::string_view name) {
  return fmt::format("\"{}\"", printable(canonical_name(name), 30));
}

std::string shown_column(const ColumnRef& column) {
  if (column.name.empty()) return std::to_string(column.number);
  if (column.occurrence == 1) return shown_name(column.name);
  return fmt::format("{} (number {} of that name)", shown_name(column.name), column.occurrence);
}

std::string listing(const Names& names) {
  constexpr std::size_t kShown = 20;
  Names shown;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    shown.push_back(shown_name(names[i]));
  }
  if (names.size() > kShown) shown.push_back("…");
  return join(shown, ", ");
}

bool same_header(const Names& record, const Names& header) {
  return std::equal(record.begin(), record.end(), header.begin(), header.end(), same_name);
}

std::size_t count_name(const Names& names, std::size_t count, std::string_view name) {
  const std::string folded = folded_name(name);
  return static_cast<std::size_t>(
      std::count_if(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count),
                    [&](const std::string& other) { return folded_name(other) == folded; }));
}

std::optional<std::size_t> find_name(const Names& names, const std::string& wanted) {
  auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end()) {
    found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return folded_name(name) == folded_name(wanted);
    });
  }
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

std::optional<std::size_t> find_column(const Names& names, const ColumnRef& wanted) {
  if (count_name(names, names.size(), wanted.name) < wanted.occurrence) return std::nullopt;
  if (std::count(names.begin(), names.end(), wanted.name) == 1)
    return find_name(names, wanted.name);
  std::size_t place = 0;
  while (count_name(names, place + 1, wanted.name) < wanted.occurrence) ++place;
  return place;
}

std::size_t require_name(const Names& names, const std::string& wanted, std::string_view key,
                         std::string_view kind, const std::string& place) {
  if (const auto found = find_name(names, wanted)) {
    std::vector<std::string> alike;
    const auto exact = std::count(names.begin(), names.end(), wanted);
    for (std::size_t i = 0; i < names.size() && exact != 1; ++i) {
      if (exact > 1 ? names[i] == wanted : folded_name(names[i]) == folded_name(wanted))
        alike.push_back(std::to_string(i + 1));
    }
    if (alike.size() < 2) return *found;
    throw DataError(fmt::format("{}: {} {}s are called {} ({}); expected the number of one: {}",
                                place, alike.size(), kind, shown_name(wanted), key,
                                join(alike, ", ")));
  }
  const auto near = nearest_name(wanted, names);
  throw DataError(fmt::format(
      "{}: there is no {} \"{}\" ({}){}; expected one of {}", place, kind, printable(wanted), key,
      near ? fmt::format(", did you mean {}?", shown_name(*near)) : "", listing(names)));
}

std::optional<std::size_t> find_label(const Names& names) {
  for (const std::string_view known : kLabelNames) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return folded_name(name) == known;
    });
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  return std::nullopt;
}

}  // namespace diffuse
