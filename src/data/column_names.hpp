#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/data/layout.hpp"

namespace diffuse {

using Names = std::vector<std::string>;

/// Whether a column of that name usually holds a text. Names are compared by `folded_name`.
bool is_text_name(std::string_view name);
/// Whether it usually holds the label.
bool is_label_name(std::string_view name);
/// Whether it is usual for what is neither: an id, a date, a link, an author.
bool is_other_name(std::string_view name);
/// The usual names of a label, for a message.
std::string label_names();

/// The number in a column setting such as "2"; nothing if it is a name.
std::optional<std::size_t> column_number(const std::string& column);
/// The name in quotes as a message shows it: without what is not seen, and cut.
std::string shown_name(std::string_view name);
/// A column as a message shows it: its name, with the number of its kind where it is not the first
/// of that name, or its number where it has none.
std::string shown_column(const ColumnRef& column);
/// The names in quotes, at most 20 of them.
std::string listing(const Names& names);
/// Whether a record is `header` once more, whatever the case of its names.
bool same_header(const Names& record, const Names& header);
/// How many of the first `count` names are `name`, whatever their case.
std::size_t count_name(const Names& names, std::size_t count, std::string_view name);
/// Place of the name, exactly as written before in another case.
std::optional<std::size_t> find_name(const Names& names, const std::string& wanted);
/// Place of a column of the training data among the names of another file: of several of that name
/// the same one, counted from the left.
std::optional<std::size_t> find_column(const Names& names, const ColumnRef& wanted);
/// The place of `wanted`, or a DataError that lists the names, or the columns of that name if there
/// are several. `key` is the setting that asks for it, `kind` says what has the names: "column",
/// "key".
std::size_t require_name(const Names& names, const std::string& wanted, std::string_view key,
                         std::string_view kind, const std::string& place);
/// Place of the label by its usual names, the most telling of them first.
std::optional<std::size_t> find_label(const Names& names);

}  // namespace diffuse
