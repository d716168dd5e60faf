#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace diffuse {

/// "UTF-8", as what a message expected instead of the ill-formed `byte` of `path`; with the command
/// that rewrites the file if it may be in Windows-1252.
std::string utf8_expected(unsigned char byte, const std::filesystem::path& path);

/// Throws DataError, with the command that helps, if a file that begins with `bytes` is UTF-16 or
/// UTF-32.
void refuse_wide_encoding(std::string_view bytes, const std::filesystem::path& path);

}  // namespace diffuse
