#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "diffuse/data/records.hpp"
#include "encode_file.hpp"

namespace diffuse {

/// Warns of rows between two quotes and of headers that came again; whether there was any of it.
/// `rows`: usable rows of the file.
bool report_notes(const FileOptions& options, const ReadNotes& notes, std::int64_t rows);

/// Labels that the model lacks, with their rows, in a file that is evaluated.
struct UnknownLabels {
  std::int64_t rows = 0;
  std::map<std::string, std::int64_t> counts;
  BadRow first;
  std::uint32_t last_line = 0;  ///< of the row counted last: one with several counts once
  bool any_known = false;       ///< some row has a label that the model knows

  void add(const std::string& label, const BadRow& bad);
  /// Warns of them, if there are any. Throws DataError if no row of `all` has a known label.
  void report(const FileOptions& options, const RecordLayout* layout, std::int64_t all) const;
};

}  // namespace diffuse
