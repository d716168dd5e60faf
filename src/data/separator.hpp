#pragma once

#include <string>
#include <string_view>

#include "column_names.hpp"
#include "diffuse/config/config.hpp"

namespace diffuse {

/// Whether fields may be parted by `c`: ASCII that is no quote, no line break and no NUL.
bool may_separate(char c);

/// The character that `data.separator` means, 0 for an empty one. Throws ConfigError.
char configured_separator(const std::string& setting);

/// How a message writes a separator: "tab" or the character in quotes.
std::string separator_name(char separator);

/// The character among , ; | and tab that gives the rows of `block`, the beginning of a CSV file,
/// the same number of fields, two or more (all but one row in twenty); 0 if there is none. Where
/// several do, `usual`, unless another one alone gives a column of few different values, as
/// labels are.
char find_separator(std::string_view block, QuoteMode quote, char usual = ',');

/// What is known of a file's columns before its separator is: those of the training data.
struct ExpectedColumns {
  char separator = ',';   ///< taken where no other fits better
  Names names;            ///< that its header holds; empty: none is known
  std::size_t count = 0;  ///< of its columns where there are no names; 0: not known
};

/// The separator of a file beside the training data: the one that gives the first row most of the
/// names, or all rows that many fields.
char find_separator(std::string_view block, QuoteMode quote, const ExpectedColumns& expected);

}  // namespace diffuse
