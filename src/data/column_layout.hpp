#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "column_names.hpp"
#include "columns.hpp"

namespace diffuse {

/// The parts that resolve_columns and find_columns have in common.

/// `file:line` of the first record.
std::string place_of(const FirstRows& rows);
/// Column `place`, from 0, with its name if there is a header.
ColumnRef column_at(const FirstRows& rows, bool header, std::size_t place);
/// A layout of these rows without label and texts.
RecordLayout started_layout(const FirstRows& rows, bool header);
/// The place of a column that `key` names, by name or number. Throws DataError and ConfigError.
std::size_t configured_column(const FirstRows& rows, bool header, const std::string& column,
                              std::string_view key);
/// Fills `layout.texts` by the config, the usual names, or all others, of which `left_out` gets in
/// words those that are no text.
void resolve_texts(const FirstRows& rows, const DataConfig& config, RecordLayout& layout,
                   Names& left_out);
/// Throws DataError, with the separator that would fit, if the first record is one field.
void refuse_one_column(const FirstRows& rows);
/// Throws ConfigError if the label is one of the texts.
void check_label_is_no_text(const RecordLayout& layout);
/// Puts the layout in words. `reason` tells why there is a header or none; `left_out` which columns
/// are no texts.
void describe_layout(RecordLayout& layout, const std::string& reason, const Names& left_out);

}  // namespace diffuse
