#include "column_kind.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>

namespace diffuse {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kAround);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kAround) - begin + 1);
}

/// Digits, with points and commas between them, a sign, an exponent, a currency or per cent sign.
bool is_number(std::string_view text) {
  for (const std::string_view sign : {"$", "€", "£"}) {
    if (text.starts_with(sign)) text.remove_prefix(sign.size());
    if (text.ends_with(sign)) text.remove_suffix(sign.size());
  }
  if (text.ends_with('%')) text.remove_suffix(1);
  text = without_blanks(text);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  bool digits = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      digits = true;
    } else if ((c == 'e' || c == 'E') && digits && i + 1 < text.size()) {
      if (text[i + 1] == '-' || text[i + 1] == '+') ++i;
      if (i + 1 == text.size()) return false;
    } else if (c != '.' && c != ',') {
      return false;
    }
  }
  return digits;
}

/// Of a month or a weekday, or what stands behind a time.
bool is_word_of_date(std::string_view word) {
  if (word.size() == 1) return true;  // T and Z of ISO 8601
  std::string begin(word.substr(0, 3));
  for (char& c : begin) c = static_cast<char>(c | 0x20);
  constexpr std::string_view kWords =
      "jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun utc gmt am pm";
  return word.size() <= 9 && kWords.find(begin) != std::string_view::npos;
}

/// Three numbers, or two and a month's name, with - / . : or blanks between.
bool is_date(std::string_view text) {
  std::size_t numbers = 0;
  std::size_t words = 0;
  bool marked = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    if (is_digit(text[i])) {
      while (i < text.size() && is_digit(text[i])) ++i;
      ++numbers;
      if (i - begin > 9) return false;
    } else if (is_letter(text[i])) {
      while (i < text.size() && is_letter(text[i])) ++i;
      if (!is_word_of_date(text.substr(begin, i - begin))) return false;
      words += i - begin > 1;
    } else {
      if (std::string_view("-/.:, +").find(text[i]) == std::string_view::npos) return false;
      marked |= std::string_view("-/.:").find(text[i]) != std::string_view::npos;
      ++i;
    }
  }
  return numbers >= 2 && numbers + words >= 3 && (marked || words > 0);
}

bool is_link(std::string_view text) {
  if (text.find_first_of(" \t\n") != std::string_view::npos) return false;
  return text.starts_with("http://") || text.starts_with("https://") || text.starts_with("www.");
}

bool may_be_identifier(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) ||
           std::string_view("_-.:/#").find(c) != std::string_view::npos;
  });
  return plain && std::any_of(text.begin(), text.end(), is_digit);
}

}  // namespace

ColumnKind kind_of(const std::vector<std::string_view>& values) {
  constexpr std::array kKinds = {ColumnKind::number, ColumnKind::date, ColumnKind::link,
                                 ColumnKind::identifier};
  constexpr std::array kTests = {is_number, is_date, is_link, may_be_identifier};
  std::array<bool, kKinds.size()> possible{true, true, true, true};
  std::unordered_set<std::string_view> different;
  std::size_t count = 0;
  for (const std::string_view value : values) {
    const std::string_view text = without_blanks(value);
    if (text.empty()) continue;
    ++count;
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind)
      possible[kind] = possible[kind] && kTests[kind](text);
    if (possible.back()) possible.back() = different.insert(text).second;
    if (std::none_of(possible.begin(), possible.end(), [](bool p) { return p; })) break;
  }
  if (count == 0) return ColumnKind::text;
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    if (possible[kind]) return kKinds[kind];
  }
  return ColumnKind::text;
}

std::string_view kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::number:
      return "numbers";
    case ColumnKind::date:
      return "dates";
    case ColumnKind::link:
      return "links";
    case ColumnKind::identifier:
      return "identifiers";
    case ColumnKind::text:
      break;
  }
  return "texts";
}

}  // namespace diffuse
