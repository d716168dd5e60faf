#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
/// The names in quotes, at most 20 of them.
std::string listing(const Names& names);
/// Place of the name, exactly as written before in another case.
std::optional<std::size_t> find_name(const Names& names, const std::string& wanted);
/// The same, or a DataError that lists the names. `key` is the setting that asks for it, `kind`
/// says what has the names: "column", "key".
std::size_t require_name(const Names& names, const std::string& wanted, std::string_view key,
                         std::string_view kind, const std::string& place);
/// Place of the label by its usual names, the most telling of them first.
std::optional<std::size_t> find_label(const Names& names);

}  // namespace diffuse
