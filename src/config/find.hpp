#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace diffuse {

/// Folders that may hold the shipped configs, for a program that lies in `program_folder`:
/// `$DIFFUSE_CONFIGS` alone where it is set, else `configs` in that folder and the four above it
/// (the project's), then `share/diffuse/configs` in the same (the copy that goes with a build
/// folder when it is moved).
std::vector<std::filesystem::path> config_folders(const std::filesystem::path& program_folder);

/// find_config with the folders to look in.
std::filesystem::path find_config_in(const std::string& name,
                                     const std::vector<std::filesystem::path>& folders);

}  // namespace diffuse
