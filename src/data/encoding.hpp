#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "diffuse/base/encoding.hpp"  // IWYU pragma: export
#include "diffuse/data/records.hpp"

namespace diffuse {

/// What is wrong with bytes of `path` on `line` that should be UTF-8 text, nothing if they are.
/// `where` says which of the row's bytes they are: "in column 2"; empty: a line.
std::optional<BadRow> find_bad_bytes(std::string_view text, std::uint32_t line,
                                     const std::string& where, const std::filesystem::path& path);

}  // namespace diffuse
