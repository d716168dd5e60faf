#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

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

/// A file, a pattern of files or a folder that is read, and how a message calls it: "the file of
/// --data".
struct NamedInput {
  std::string what;
  std::filesystem::path path;  ///< empty: none
};

/// Throws UsageError where writing `file` would replace one of `inputs` or, where an input is a run
/// or a checkpoint, one of its members. Nothing for an empty name.
void check_output_apart(const std::string& file, const std::vector<NamedInput>& inputs);

}  // namespace diffuse::cli
