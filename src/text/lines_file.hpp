#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "string_table.hpp"

namespace diffuse {

/// The lines of a vocabulary or label file: UTF-8, ended by LF or CRLF, the last one with or
/// without its end; a byte order mark is left out. Every line holds something and none comes
/// twice. `item` ("token", "label") names a line's content in errors. Throws DataError
/// (file:line) otherwise, or when the file cannot be read.
StringTable read_distinct_lines(const std::filesystem::path& path, const std::string& item);

/// The same for a file that people write: a CR by itself ends a line as well, each line is taken as
/// its `canonical_name`, and blank lines at the end are none.
std::vector<std::string> read_distinct_names(const std::filesystem::path& path,
                                             const std::string& item);

}  // namespace diffuse
