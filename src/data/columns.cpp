#include "columns.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "column_layout.hpp"
#include "column_names.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"
#include "header_guess.hpp"

namespace diffuse {
namespace {

/// The label's column where a header names none: the only one that is not a text's or an id, a
/// date or the like, else the first. A first column with a text's name is no label, and one without
/// a name is pandas' index.
std::size_t unnamed_label(const Names& header, const std::optional<ColumnRef>& weight,
                          const std::string& place) {
  std::size_t first = header.size() > 1 && folded_name(header.front()).empty() ? 1 : 0;
  if (weight && weight->number == first + 1 && first + 1 < header.size()) ++first;
  Names others;
  std::vector<std::size_t> likely;
  for (std::size_t i = first; i < header.size(); ++i) {
    if (is_text_name(header[i]) || (weight && weight->number == i + 1)) continue;
    others.push_back(header[i]);
    if (!is_other_name(header[i])) likely.push_back(i);
  }
  if (likely.size() == 1) return likely.front();
  if (others.size() == 1) return *find_name(header, others.front());
  if (!is_text_name(header[first]) && !is_other_name(header[first])) return first;
  throw DataError(
      fmt::format("{}: which column holds the label? Set data.label_column to one of {}", place,
                  listing(others.empty() ? header : others)));
}

}  // namespace

RecordLayout resolve_columns(const FirstRows& rows, const DataConfig& config, bool need_label) {
  const HeaderGuess guess = guess_header(rows, config);
  RecordLayout layout = started_layout(rows, guess.header);
  if (need_label || (config.separator.empty() && another_separator_fits(rows)))
    refuse_one_column(rows);
  if (!config.weight_column.empty() && need_label) {
    layout.weight = column_at(
        rows, guess.header,
        configured_column(rows, guess.header, config.weight_column, "data.weight_column"));
  }
  if (!config.label_column.empty()) {
    layout.label =
        column_at(rows, guess.header,
                  configured_column(rows, guess.header, config.label_column, "data.label_column"));
  } else if (guess.header) {
    const auto found = find_label(rows.first);
    if (found || need_label)
      layout.label = column_at(
          rows, true, found ? *found : unnamed_label(rows.first, layout.weight, place_of(rows)));
  } else if (rows.first.size() > 1) {
    layout.label = column_at(rows, false, 0);
  }
  Names notes;
  resolve_texts(rows, config, layout, notes);
  check_columns_differ(layout);
  describe_layout(layout, guess.reason, notes);
  return layout;
}

}  // namespace diffuse
