#pragma once

#include <filesystem>
#include <string>

namespace diffuse::cli {

/// Throws UsageError if `out`, a run directory named by the user, cannot be used: it is a file, or
/// a folder that holds something.
void check_run_directory(const std::filesystem::path& out);

/// Creates the run directory and returns it: `out` if not empty (checked as above), else
/// `runs/<name>`, with -2, -3, ... added as long as that is taken. Throws SystemError if it cannot
/// be created.
std::filesystem::path create_run_directory(const std::filesystem::path& out,
                                           const std::string& name);

/// Name of the default run directory: the config file's name without its extension, else that of
/// the training file.
std::string run_name(const std::filesystem::path& config, const std::filesystem::path& train_file);

}  // namespace diffuse::cli
