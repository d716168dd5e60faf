#include "column_names.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

constexpr std::array<std::string_view, 6> kLabelNames = {"label",  "class", "category",
                                                         "target", "topic", "sentiment"};
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

}  // namespace

bool is_text_name(std::string_view name) { return is_one_of(name, kTextNames); }
bool is_label_name(std::string_view name) { return is_one_of(name, kLabelNames); }
bool is_other_name(std::string_view name) {
  return is_one_of(name, kOtherNames) || folded_name(name).ends_with("_id");
}
std::string label_names() { return fmt::format("{}", fmt::join(kLabelNames, ", ")); }

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

std::size_t require_name(const Names& names, const std::string& wanted, std::string_view key,
                         std::string_view kind, const std::string& place) {
  if (const auto found = find_name(names, wanted)) return *found;
  const auto near = nearest_name(wanted, names);
  throw DataError(fmt::format(
      "{}: there is no {} \"{}\" ({}){}; expected one of {}", place, kind, printable(wanted), key,
      near ? fmt::format(", did you mean \"{}\"?", printable(*near)) : "", listing(names)));
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
