#include "header_guess.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "column_layout.hpp"
#include "column_names.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

/// The first field that comes again in its column, in a record that is another one as a whole.
std::string repeated_word(const FirstRows& rows) {
  for (std::size_t row = 0; row < rows.below.size(); ++row) {
    const FirstRows::Row& record = *rows.below[row];
    if (same_header(record, rows.first)) continue;
    for (std::size_t i = 0; i < std::min(record.size(), rows.first.size()); ++i) {
      if (folded_name(rows.first[i]).empty() || record[i] != rows.first[i]) continue;
      return fmt::format("no header, for its {} comes again on line {}", shown_name(rows.first[i]),
                         rows.lines[row]);
    }
  }
  return "";
}

/// How often the first record comes again as a whole, where that speaks against a header: an answer
/// that many give comes often, and neither a label's name nor two usual names stand in it, nor a
/// word above numbers. Files put one behind the other have few headers, unless they are short.
std::size_t repeated_answer(const FirstRows& rows) {
  const auto same = static_cast<std::size_t>(
      std::count_if(rows.below.begin(), rows.below.end(),
                    [&](const auto* record) { return same_header(*record, rows.first); }));
  if (same == 0) return 0;
  std::size_t usual = 0;
  for (std::size_t i = 0; i < rows.first.size(); ++i) {
    const std::string& field = rows.first[i];
    if (is_label_name(field)) return 0;
    usual += is_text_name(field) || is_other_name(field);
    const ColumnKind below = kind_of_column(rows, true, i);
    if (below != ColumnKind::text && kind_of({field}) != below) return 0;
  }
  return usual < 2 && 10 * same > rows.below.size() ? same : 0;
}

}  // namespace

HeaderGuess guess_header(const FirstRows& rows, const DataConfig& config) {
  if (config.header != HeaderMode::automatic) return {config.header == HeaderMode::yes, ""};
  // A configured name can only be found in a header: if it is not there, that is the error.
  Names configured = config.text_columns;
  if (!config.label_column.empty()) configured.push_back(config.label_column);
  if (!config.weight_column.empty()) configured.push_back(config.weight_column);
  if (std::any_of(configured.begin(), configured.end(),
                  [](const std::string& column) { return !column_number(column); })) {
    return {true, ""};
  }
  if (is_row_index(rows)) return {true, ", as its first field is empty above the rows' numbers"};
  const auto known = std::find_if(rows.first.begin(), rows.first.end(), [](const auto& field) {
    return is_label_name(field) || is_text_name(field);
  });
  if (known == rows.first.end()) return {false, ""};
  const HeaderGuess yes{true, ", as it holds " + shown_name(*known)};
  if (std::all_of(rows.first.begin(), rows.first.end(), [](const auto& field) {
        return is_label_name(field) || is_text_name(field) || is_other_name(field);
      })) {
    return yes;
  }
  if (std::string reason = repeated_word(rows); !reason.empty()) return {false, std::move(reason)};
  if (const std::size_t same = repeated_answer(rows); same > 0)
    return {false, "no header, for the first line comes again " + std::to_string(same) + " times"};
  return yes;
}

}  // namespace diffuse
