#pragma once

#include <filesystem>
#include <string>

#include "diffuse/config/load.hpp"

namespace diffuse::cli {

/// For a run that is gone on with: the files of its stored `config` that are no longer where they
/// were, where they can be found again, as overrides. A data file is looked for below the folders
/// above `run_dir` and the working directory, by as many of its path's last folders as are still
/// the same, and taken if its content is the one that the run's manifest has; labels, vocabulary
/// and TorchScript file are those of its last checkpoint. Tells what it found. Keys among `given`
/// are left alone.
Overrides find_moved_files(const std::filesystem::path& run_dir, const Config& config,
                           const Overrides& given);

/// Whether `key` is the path of a file, whose content and not its place makes the run.
bool is_file_key(const std::string& key);

}  // namespace diffuse::cli
