#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "field.hpp"

namespace diffuse {

/// "a whole number from 1 to 8192; channels".
std::string allowed_with_unit(const Field& field);

/// `text` cut at blanks into lines of at most `width` bytes (a longer word has a line of its own).
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace diffuse
