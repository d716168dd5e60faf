#pragma once

#include <string>
#include <string_view>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// The character that `data.separator` means, 0 for an empty one. Throws ConfigError.
char configured_separator(const std::string& setting);

/// How a message writes a separator: "tab" or the character in quotes.
std::string separator_name(char separator);

/// The character among , ; | and tab that gives the rows of `block`, the beginning of a CSV file,
/// the same number of fields, two or more (all but one row in twenty); 0 if there is none. Where
/// several do, the comma, unless another one alone gives a column of few different values, as
/// labels are.
char find_separator(std::string_view block, QuoteMode quote);

}  // namespace diffuse
