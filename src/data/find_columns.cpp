#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "column_layout.hpp"
#include "column_names.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "header_guess.hpp"

namespace diffuse {
namespace {

constexpr const char* kByNumber = ", or --set data.label_column=N --set data.text_columns=N";

/// Of a file that training goes on with; of any other the config names none (without_columns).
void take_weight(const FirstRows& rows, const DataConfig& config, bool header, bool need_label,
                 RecordLayout& layout) {
  if (config.weight_column.empty() || !need_label) return;
  layout.weight = column_at(
      rows, header, configured_column(rows, header, config.weight_column, "data.weight_column"));
}

/// By names of the training file.
RecordLayout find_named(const FirstRows& rows, const DataConfig& config, const RecordLayout& model,
                        bool need_label) {
  RecordLayout layout = started_layout(rows, true);
  Names missing;
  bool any = false;
  const auto take = [&](const ColumnRef& column) -> std::optional<ColumnRef> {
    if (const auto found = find_column(rows.first, column)) {
      any = true;
      return column_at(rows, true, *found);
    }
    missing.push_back(shown_column(column));
    return std::nullopt;
  };
  if (!config.label_column.empty()) {
    layout.label = column_at(
        rows, true, configured_column(rows, true, config.label_column, "data.label_column"));
  } else if (model.label && need_label) {
    layout.label = take(*model.label);
  } else if (need_label) {  // its labels were soft ones
    const auto found = find_label(rows.first);
    if (!found)
      throw DataError(fmt::format("{}: there is no column {}; expected one of them among {}{}",
                                  place_of(rows), label_names(), listing(rows.first),
                                  own_setting(rows, ", or --set data.label_column=NAME")));
    layout.label = column_at(rows, true, *found);
  }
  take_weight(rows, config, true, need_label, layout);
  const Names missing_label = missing;
  Names ignored;
  if (!config.text_columns.empty()) {
    resolve_texts(rows, config, layout, ignored);
  } else {
    for (const ColumnRef& text : model.texts) {
      if (const auto found = take(text)) layout.texts.push_back(*found);
    }
  }
  if (missing.empty()) {
    check_columns_differ(layout);
    describe_layout(layout, "", {});
    return layout;
  }
  if (rows.first.size() == 1 && (need_label || another_separator_fits(rows)))
    refuse_one_column(rows);
  if (!any) {
    Names numbers;
    for (const ColumnRef& text : model.texts) numbers.push_back(std::to_string(text.number));
    const std::string by_number =
        model.format == FileFormat::jsonl || !model.label
            ? "--set data.header=no --set data.label_column=N --set data.text_columns=N"
            : fmt::format(
                  "--set data.header=no --set data.label_column={} --set "
                  "data.text_columns={} if they stand as they did there",
                  model.label->number, join(numbers, ","));
    throw DataError(fmt::format(
        "{}: the first line names none of the columns that the model was trained with ({}), it "
        "holds {}; expected a header with these names{}",
        place_of(rows), model.columns_text(), listing(rows.first),
        own_setting(rows, ", or, for a file without one, " + by_number)));
  }
  throw DataError(fmt::format(
      "{}: there is no column {}, which the model was trained with ({}); expected it among {}{}",
      place_of(rows), join(missing, ", "), model.columns_text(), listing(rows.first),
      own_setting(rows, fmt::format(", or --set data.{}=NAME for what stands in its place",
                                    missing_label.empty() ? "text_columns" : "label_column"))));
}

/// Whether all fields are usual names, or the label's field is the name of one, or a text's is: a
/// text of one such word is rarer than a header, a class called "question" is not.
bool is_surely_header(const FirstRows& rows, const RecordLayout& model) {
  const auto usual = [](const std::string& name) {
    return is_label_name(name) || is_text_name(name) || is_other_name(name);
  };
  if (std::all_of(rows.first.begin(), rows.first.end(), usual)) return true;
  const auto named = [&](const ColumnRef& column, auto is_name) {
    return column.number >= 1 && column.number <= rows.first.size() &&
           is_name(rows.first[column.number - 1]);
  };
  return (model.label && named(*model.label, is_label_name)) ||
         std::any_of(model.texts.begin(), model.texts.end(),
                     [&](const ColumnRef& text) { return named(text, is_text_name); });
}

/// Throws DataError if a header's names contradict the numbers of a model without names.
void check_names_of_numbered(const FirstRows& rows, const RecordLayout& layout) {
  const auto refuse = [&](const ColumnRef& column, std::string_view part) {
    throw DataError(fmt::format(
        "{}: the header calls column {} {}, but the model was trained on a file without a "
        "header whose {} stood there; expected the columns as there{}",
        place_of(rows), column.number, shown_name(column.name), part,
        own_setting(rows, kByNumber)));
  };
  if (layout.label && (is_other_name(layout.label->name) || is_text_name(layout.label->name)))
    refuse(*layout.label, "label");
  for (const ColumnRef& text : layout.texts) {
    if (is_other_name(text.name) || is_label_name(text.name)) refuse(text, "text");
  }
}

/// By numbers of the training file, which had no header.
RecordLayout find_numbered(const FirstRows& rows, const DataConfig& config,
                           const RecordLayout& model, bool need_label) {
  HeaderGuess guess = guess_header(rows, config);
  // The model's file had none, and a class may be called "question": more has to speak for one.
  if (config.header == HeaderMode::automatic && guess.header && !guess.reason.empty() &&
      !is_surely_header(rows, model))
    guess = {};
  RecordLayout layout = started_layout(rows, guess.header);
  const std::size_t model_label = model.label ? model.label->number : 0;
  const std::size_t count = rows.first.size();
  // A file of texts may lack the label's column.
  const bool shifted = !need_label && model_label > 0 && count + 1 == model.columns;
  const bool own = !config.label_column.empty() || !config.text_columns.empty();
  if (count != model.columns && !shifted && !own) {
    if (count == 1) refuse_one_column(rows);
    throw DataError(fmt::format(
        "{}: {} column{}; the model was trained on a file without a header and with {} columns "
        "({}); expected as many{}",
        place_of(rows), count, count == 1 ? "" : "s", model.columns, model.columns_text(),
        own_setting(rows, kByNumber)));
  }
  if (shifted && count == 1 && config.separator.empty() && another_separator_fits(rows))
    refuse_one_column(rows);
  const auto take = [&](std::size_t number) {
    if (shifted && number > model_label) --number;
    if (number >= 1 && number <= count) return column_at(rows, guess.header, number - 1);
    throw DataError(fmt::format("{}: there is no column {}, which the model was trained with ({})",
                                place_of(rows), number, model.columns_text()));
  };
  if (!config.label_column.empty()) {
    layout.label =
        column_at(rows, guess.header,
                  configured_column(rows, guess.header, config.label_column, "data.label_column"));
  } else if (need_label && model_label > 0) {
    layout.label = take(model_label);
    const auto named = guess.header ? find_label(rows.first) : std::nullopt;
    if (named && *named + 1 != model_label) {
      throw DataError(fmt::format(
          "{}: the header calls column {} {}, but the model was trained on a file without a "
          "header whose label was column {}; expected that{}",
          place_of(rows), *named + 1, shown_name(rows.first[*named]), model_label,
          own_setting(rows, fmt::format(", or --set data.label_column={} --set data.text_columns=N",
                                        *named + 1))));
    }
  }
  take_weight(rows, config, guess.header, need_label, layout);
  Names ignored;
  if (!config.text_columns.empty()) {
    resolve_texts(rows, config, layout, ignored);
  } else {
    for (const ColumnRef& text : model.texts) layout.texts.push_back(take(text.number));
  }
  if (guess.header && !own) check_names_of_numbered(rows, layout);
  check_columns_differ(layout);
  describe_layout(layout, guess.reason, {});
  return layout;
}

}  // namespace

RecordLayout find_columns(const FirstRows& rows, const DataConfig& config,
                          const RecordLayout& model, bool need_label) {
  if (config.header == HeaderMode::no && model.named())
    return resolve_columns(rows, config, need_label);
  if (model.named()) return find_named(rows, config, model, need_label);
  return find_numbered(rows, config, model, need_label);
}

}  // namespace diffuse
