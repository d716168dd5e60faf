#include "separator.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kProbedRows = 300;
constexpr std::array<char, 4> kSeparators = {',', ';', '|', '\t'};  // the comma first

/// Rows of `block` split at `separator`, in quotes or not; the last one, which may be cut off, only
/// if it is the only one.
std::vector<std::vector<std::string_view>> split_rows(std::string_view block, char separator,
                                                      QuoteMode quote) {
  std::vector<std::vector<std::string_view>> rows(1);
  bool quoted = false;
  std::size_t begin = 0;
  const auto end_field = [&](std::size_t end) {
    rows.back().push_back(block.substr(begin, end - begin));
    begin = end + 1;
  };
  for (std::size_t i = 0; i < block.size() && rows.size() <= kProbedRows; ++i) {
    // A quote opens a field only at its beginning, blanks aside.
    if (block[i] == '"' && quote == QuoteMode::standard &&
        (quoted || block.find_first_not_of(' ', begin) == i))
      quoted = !quoted;
    if (quoted) continue;
    if (block[i] == separator) end_field(i);
    if (block[i] != '\n') continue;
    if (i == begin || (block[i - 1] == '\r' && i - 1 == begin)) {
      if (rows.back().empty()) {  // an empty line is no row
        begin = i + 1;
        continue;
      }
    }
    end_field(i);
    rows.emplace_back();
  }
  if (rows.size() == 1 && begin < block.size()) end_field(block.size());
  if (rows.size() > 1 || rows.back().empty()) rows.pop_back();
  return rows;
}

/// How well a separator fits.
struct Fit {
  std::size_t rows = 0;
  std::size_t columns = 0;
  bool even = false;  // as many fields in (nearly) each row
  std::size_t fewest_values = std::numeric_limits<std::size_t>::max();  // of any column
};

Fit fit_of(std::string_view block, char separator, QuoteMode quote) {
  const auto rows = split_rows(block, separator, quote);
  Fit fit;
  fit.rows = rows.size();
  if (rows.empty() || rows.front().size() < 2) return fit;
  const std::size_t columns = fit.columns = rows.front().size();
  const auto even = std::count_if(rows.begin(), rows.end(),
                                  [&](const auto& row) { return row.size() == columns; });
  fit.even = 20 * even >= 19 * static_cast<std::ptrdiff_t>(rows.size());
  for (std::size_t column = 0; fit.even && column < columns; ++column) {
    std::unordered_set<std::string_view> values;
    for (const auto& row : rows) {
      if (row.size() == columns) values.insert(row[column]);
    }
    // A column of one value tells no classes apart.
    if (values.size() > 1) fit.fewest_values = std::min(fit.fewest_values, values.size());
  }
  return fit;
}

/// How many of `names` stand in the first row.
std::size_t names_found(std::string_view block, char separator, QuoteMode quote,
                        const Names& names) {
  const auto rows = split_rows(block, separator, quote);
  if (rows.empty()) return 0;
  Names fields;
  for (const std::string_view field : rows.front()) {
    const std::size_t begin = std::min(field.find_first_not_of(" \""), field.size());
    fields.emplace_back(field.substr(begin, field.find_last_not_of(" \"\r") + 1 - begin));
  }
  return static_cast<std::size_t>(
      std::count_if(names.begin(), names.end(),
                    [&](const std::string& name) { return find_name(fields, name).has_value(); }));
}

}  // namespace

bool may_separate(char c) { return c > 0 && c != '\n' && c != '\r' && c != '"'; }

char configured_separator(const std::string& setting) {
  if (setting.empty()) return 0;
  if (setting == "tab" || setting == "\\t") return '\t';
  if (setting.size() == 1 && may_separate(setting.front())) return setting.front();
  throw ConfigError(fmt::format(
      "data.separator is \"{}\"; expected one character of ASCII that is no quote and no line "
      "break, such as \";\", or \"tab\"",
      printable(setting)));
}

std::string separator_name(char separator) {
  return separator == '\t' ? "tab" : fmt::format("\"{}\"", printable({&separator, 1}));
}

char find_separator(std::string_view block, QuoteMode quote, char usual) {
  const Fit first = fit_of(block, usual, quote);
  // Labels are few; texts that happen to hold one comma each are all different.
  const bool labels = first.even && first.fewest_values <= first.rows / 4 + 1;
  char best = first.even ? usual : '\0';
  std::size_t fewest =
      first.even ? first.fewest_values / 2 : std::numeric_limits<std::size_t>::max();
  if (labels) return best;
  for (const char separator : kSeparators) {
    if (separator == usual) continue;
    const Fit fit = fit_of(block, separator, quote);
    if (!fit.even || fit.fewest_values > fewest) continue;
    if (best != 0 && fit.fewest_values == fewest) continue;
    best = separator;
    fewest = fit.fewest_values;
  }
  return best;
}

char find_separator(std::string_view block, QuoteMode quote, const ExpectedColumns& expected) {
  const char found = find_separator(block, quote, expected.separator);
  char best = found != 0 && expected.count == 0 ? found : expected.separator;
  std::size_t most = 0;
  std::vector<char> candidates = {found, expected.separator};
  candidates.insert(candidates.end(), kSeparators.begin(), kSeparators.end());
  for (const char separator : candidates) {
    if (separator == 0) continue;
    std::size_t fits = 0;
    if (!expected.names.empty()) {
      fits = names_found(block, separator, quote, expected.names);
    } else {
      const Fit fit = fit_of(block, separator, quote);
      // One row alone may hold any character.
      fits = fit.even && fit.columns == expected.count &&
             (fit.rows > 1 || separator == expected.separator);
    }
    if (fits <= most) continue;
    most = fits;
    best = separator;
  }
  // A quote in front and its separator behind: by any other one it would be a stray quote.
  if (most == 0 && found != 0 && block.starts_with('"')) best = found;
  return best;
}

}  // namespace diffuse
