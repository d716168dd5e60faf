#pragma once

#include <string_view>
#include <vector>

namespace diffuse {

/// What the values of a column are, as far as it tells whether they are texts.
enum class ColumnKind { text, number, date, link, identifier };

/// What every one of `values` is, empty ones left aside: numbers (also with a currency or per cent
/// sign), dates (with or without a time), links, or identifiers: words with a digit in them, each
/// another one, as keys and checksums are. Text unless all are the same of these.
ColumnKind kind_of(const std::vector<std::string_view>& values);

/// "numbers", "dates", "links" or "identifiers".
std::string_view kind_name(ColumnKind kind);

}  // namespace diffuse
