#include "column_kind.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "diffuse/base/text_util.hpp"

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

std::string lower(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return folded;
}

bool is_among(char c, std::string_view characters) {
  return characters.find(c) != std::string_view::npos;
}

/// What stands for a value that is not there.
bool is_nothing(std::string_view text) {
  constexpr std::array<std::string_view, 12> kNothing = {"",  "-",  "--",  "–",   "—",    ".",
                                                         "?", "na", "n/a", "nan", "null", "none"};
  return text.size() <= 4 &&
         std::find(kNothing.begin(), kNothing.end(), lower(text)) != kNothing.end();
}

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return without_blanks(text);
}

std::string_view without_currency(std::string_view text) {
  constexpr std::array<std::string_view, 10> kSigns = {"US$", "$",   "€",   "£",   "¥",
                                                       "₹",   "USD", "EUR", "GBP", "CHF"};
  for (const std::string_view sign : kSigns) {
    if (text.starts_with(sign)) text.remove_prefix(sign.size());
    if (text.ends_with(sign)) text.remove_suffix(sign.size());
  }
  return without_blanks(text);
}

/// Digits, with points and commas between them or one slash ("4/5"), a sign, an exponent, a
/// currency or per cent sign.
bool is_number(std::string_view text) {
  text = without_sign(without_currency(without_sign(text)));
  if (text.ends_with('%')) text = without_blanks(text.substr(0, text.size() - 1));
  bool digits = false;
  bool slash = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      digits = true;
    } else if ((c == 'e' || c == 'E') && digits && i + 1 < text.size()) {
      if (text[i + 1] == '-' || text[i + 1] == '+') ++i;
      if (i + 1 == text.size()) return false;
    } else if (c == '/' && digits && !slash && i + 1 < text.size()) {
      slash = true;
    } else if (c != '.' && c != ',') {
      return false;
    }
  }
  return digits;
}

/// PDT, CEST: a time zone behind a time.
bool is_zone(std::string_view word) {
  return word.size() >= 3 && word.size() <= 4 && word.back() == 'T' &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// Of a month or a weekday, or what stands behind a time.
bool is_word_of_date(std::string_view word) {
  if (word.size() == 1 || is_zone(word)) return true;  // T and Z of ISO 8601
  const std::string begin = lower(word.substr(0, 3));
  constexpr std::string_view kWords =
      "jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun utc gmt am pm";
  return word.size() <= 9 && kWords.find(begin) != std::string_view::npos;
}

/// Three numbers, or two and a month's name, with - / . : or blanks between; a time, 9:30; a year
/// and a month.
bool is_date(std::string_view text) {
  std::size_t numbers = 0;
  std::size_t words = 0;
  bool marked = false;
  bool year = false;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    if (is_digit(text[i])) {
      while (i < text.size() && is_digit(text[i])) ++i;
      ++numbers;
      // Three digits or so stand in telephone numbers.
      if (i - begin > 9 || (i - begin == 3 && numbers <= 3)) return false;
      year |= i - begin == 4;
    } else if (is_letter(text[i])) {
      while (i < text.size() && is_letter(text[i])) ++i;
      if (!is_word_of_date(text.substr(begin, i - begin))) return false;
      words += i - begin > 1;
    } else {
      if (!is_among(text[i], "-/.:, +")) return false;
      marked |= is_among(text[i], "-/.:");
      ++i;
    }
  }
  if (numbers == 2 && words == 0) return is_among(':', text) || (year && is_among('-', text));
  return numbers >= 2 && numbers + words >= 3 && (marked || words > 0);
}

bool is_link(std::string_view text) {
  if (text.find_first_of(" \t\n") != std::string_view::npos) return false;
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return lower(text.substr(0, 4)) == "www.";
  return scheme > 0 && std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(scheme),
                                   [](char c) { return is_letter(c) || is_digit(c); });
}

/// a.b@c.d or @name.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || text.find_first_of(" \t\n") != std::string_view::npos ||
      text.find('@', at + 1) != std::string_view::npos || at + 1 == text.size())
    return false;
  return at == 0 || text.find('.', at) != std::string_view::npos;
}

/// Seven digits or more with blanks, brackets, points and dashes between, an extension behind.
bool is_phone(std::string_view text) {
  if (const std::size_t x = text.find('x'); x != std::string_view::npos && x > 0) {
    const std::string_view extension = without_blanks(text.substr(x + 1));
    if (!std::all_of(extension.begin(), extension.end(), is_digit)) return false;
    text = text.substr(0, x);
  }
  const auto digits = std::count_if(text.begin(), text.end(), is_digit);
  return digits >= 7 && digits <= 15 && std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || is_among(c, " +-.()/");
         });
}

/// Eight hexadecimal digits or more, dashes between.
bool is_hexadecimal(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  const auto is_hex = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  return std::count_if(text.begin(), text.end(), is_hex) >= 8 &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_hex(c) || c == '-'; });
}

/// Words with a digit.
bool may_be_identifier(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) || is_among(c, "_-.:/#");
  });
  return plain && std::any_of(text.begin(), text.end(), is_digit);
}

}  // namespace

ColumnKind kind_of(const std::vector<std::string_view>& values) {
  struct Test {
    ColumnKind kind;
    bool (*holds)(std::string_view);
    bool different = false;  // every value is another one
    bool possible = true;
  };
  std::array<Test, 7> tests = {{{ColumnKind::number, is_number},
                                {ColumnKind::date, is_date},
                                {ColumnKind::link, is_link},
                                {ColumnKind::address, is_address},
                                {ColumnKind::phone, is_phone},
                                {ColumnKind::identifier, is_hexadecimal},
                                {ColumnKind::identifier, may_be_identifier, true}}};
  std::unordered_set<std::string_view> seen;
  std::size_t count = 0;
  for (const std::string_view value : values) {
    const std::string_view text = without_blanks(value);
    if (is_nothing(text)) continue;
    ++count;
    for (Test& test : tests) {
      test.possible =
          test.possible && test.holds(text) && (!test.different || seen.insert(text).second);
    }
    if (std::none_of(tests.begin(), tests.end(), [](const Test& test) { return test.possible; }))
      break;
  }
  const auto* const found =
      std::find_if(tests.begin(), tests.end(), [](const Test& test) { return test.possible; });
  return count == 0 || found == tests.end() ? ColumnKind::text : found->kind;
}

std::string_view kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::number:
      return "numbers";
    case ColumnKind::date:
      return "dates or times";
    case ColumnKind::link:
      return "links";
    case ColumnKind::address:
      return "addresses";
    case ColumnKind::phone:
      return "telephone numbers";
    case ColumnKind::identifier:
      return "identifiers";
    case ColumnKind::text:
      break;
  }
  return "texts";
}

TextChoice choose_texts(const std::vector<std::size_t>& candidates, bool named,
                        const std::function<ColumnKind(std::size_t)>& kind,
                        const std::function<std::string(std::size_t)>& shown) {
  TextChoice choice;
  std::vector<std::string> left_out;
  std::vector<std::string> doubtful;
  for (const std::size_t i : candidates) {
    const ColumnKind held = kind(i);
    if (held == ColumnKind::text) {
      choice.texts.push_back(i);
      continue;
    }
    left_out.push_back(fmt::format("{}: {}", shown(i), kind_name(held)));
    doubtful.push_back(fmt::format("{} holds {} in every row", shown(i), kind_name(held)));
  }
  if (named || choice.texts.empty()) {
    choice.texts = candidates;
    choice.notes = std::move(doubtful);
  } else if (!left_out.empty()) {
    choice.notes = {"not taken for text: " + join(left_out, ", ")};
  }
  return choice;
}

}  // namespace diffuse
