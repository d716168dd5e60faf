#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "diffuse/data/records.hpp"

namespace diffuse {

/// The command that rewrites `path`, which is in the encoding `from`, as UTF-8.
std::string iconv_command(const std::filesystem::path& path, std::string_view from);

/// What is wrong with bytes of `path` on `line` that should be UTF-8 text, nothing if they are.
/// `where` says which of the row's bytes they are: "in column 2"; empty: a line.
std::optional<BadRow> find_bad_bytes(std::string_view text, std::uint32_t line,
                                     const std::string& where, const std::filesystem::path& path);

/// Throws DataError, with the command that helps, if a file that begins with `bytes` is UTF-16 or
/// UTF-32.
void refuse_wide_encoding(std::string_view bytes, const std::filesystem::path& path);

}  // namespace diffuse
