#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "column_kind.hpp"
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
/// What the column's values are, as far as rows are known; a header that comes again is none.
ColumnKind kind_of_column(const FirstRows& rows, bool header, std::size_t place);
/// Whether the first column numbers the rows, as pandas writes its index: no name in the first
/// record, or "Unnamed: 0", above whole numbers that are all different; two columns behind it.
bool is_row_index(const FirstRows& rows);
/// The place of a column that `key` names, by name or number. Throws DataError and ConfigError.
std::size_t configured_column(const FirstRows& rows, bool header, const std::string& column,
                              std::string_view key);
/// Fills `layout.texts` by the config, the usual names, or all others that are texts by themselves;
/// `notes` gets in words which are not, and which are read all the same.
void resolve_texts(const FirstRows& rows, const DataConfig& config, RecordLayout& layout,
                   Names& notes);
/// Whether another separator than the one in use would give several columns.
bool another_separator_fits(const FirstRows& rows);
/// Throws DataError, with the separator that would fit, if the first record is one field.
void refuse_one_column(const FirstRows& rows);
/// What to set, as the end of a message, where a setting of the file's own can help: none of a file
/// that is trained with, for it would hold for the training data, too.
std::string own_setting(const FirstRows& rows, const std::string& advice);
/// Throws ConfigError if the label or the weight is one of the texts, or both are one column.
void check_columns_differ(const RecordLayout& layout);
/// Puts the layout in words. `reason` tells why there is a header or none; `notes` what else there
/// is to say of columns.
void describe_layout(RecordLayout& layout, const std::string& reason, const Names& notes);

}  // namespace diffuse
