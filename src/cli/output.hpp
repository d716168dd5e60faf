#pragma once

#include <string>
#include <string_view>

namespace diffuse::cli {

/// Writes `text` to stdout at once. False if its reader has gone away; throws SystemError for any
/// other failure (a full disk).
bool write_if_read(std::string_view text);

/// The same. A reader that has gone away ends the process quietly, as
/// SIGPIPE does.
void write_output(std::string_view text);

/// What would keep `--output FILE` from being written, before the work: throws UsageError. Nothing
/// for an empty name.
void check_output_file(const std::string& file);

}  // namespace diffuse::cli
