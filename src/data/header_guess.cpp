#include "header_guess.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "column_names.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

/// The first field that comes again in its column, in a record that is another one as a whole.
std::string repeated_word(const FirstRows& rows) {
  for (std::size_t row = 0; row < rows.below.size(); ++row) {
    const FirstRows::Row& record = *rows.below[row];
    if (record == rows.first) continue;
    for (std::size_t i = 0; i < std::min(record.size(), rows.first.size()); ++i) {
      if (folded_name(rows.first[i]).empty() || record[i] != rows.first[i]) continue;
      return fmt::format("no header, for its \"{}\" comes again on line {}",
                         printable(rows.first[i], 30), rows.lines[row]);
    }
  }
  return "";
}

}  // namespace

HeaderGuess guess_header(const FirstRows& rows, const DataConfig& config) {
  if (config.header != HeaderMode::automatic) return {config.header == HeaderMode::yes, ""};
  // A configured name can only be found in a header: if it is not there, that is the error.
  Names configured = config.text_columns;
  if (!config.label_column.empty()) configured.push_back(config.label_column);
  if (std::any_of(configured.begin(), configured.end(),
                  [](const std::string& column) { return !column_number(column); })) {
    return {true, ""};
  }
  const auto known = std::find_if(rows.first.begin(), rows.first.end(), [](const auto& field) {
    return is_label_name(field) || is_text_name(field);
  });
  if (known == rows.first.end()) return {false, ""};
  const HeaderGuess yes{true, fmt::format(", as it holds \"{}\"", printable(*known, 30))};
  if (std::all_of(rows.first.begin(), rows.first.end(), [](const auto& field) {
        return is_label_name(field) || is_text_name(field) || is_other_name(field);
      })) {
    return yes;
  }
  if (std::string reason = repeated_word(rows); !reason.empty()) return {false, std::move(reason)};
  const auto same = std::count_if(rows.below.begin(), rows.below.end(),
                                  [&](const auto* record) { return *record == rows.first; });
  // Files put one behind the other have few headers; an answer that many give comes often.
  if (10 * static_cast<std::size_t>(same) > rows.below.size())
    return {false, "no header, for the first line comes again " + std::to_string(same) + " times"};
  return yes;
}

}  // namespace diffuse
