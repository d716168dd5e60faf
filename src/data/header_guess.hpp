#pragma once

#include <string>

#include "columns.hpp"

namespace diffuse {

/// Whether the first record of a file holds the columns' names, and why, in words for the log
/// (empty where nothing needs to be said).
struct HeaderGuess {
  bool header = false;
  std::string reason;
};

/// By `data.header`, by a column that is chosen by name, or by a usual column name among the
/// fields: not if a field comes again below in its column, unless all fields are usual names. A
/// record that comes again as a whole does not count as long as it is rare.
HeaderGuess guess_header(const FirstRows& rows, const DataConfig& config);

}  // namespace diffuse
