#include "find.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  // Not is_regular_file: a pipe, as bash's <(...), is fine too.
  return fs::exists(path, ignored) && !fs::is_directory(path, ignored);
}

std::vector<std::string> shipped_names(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().extension() == ".json") names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::vector<fs::path> config_folders(const fs::path& program_folder) {
  if (const char* folder = std::getenv("DIFFUSE_CONFIGS"); folder != nullptr && *folder != '\0') {
    return {fs::path(folder)};
  }
  constexpr int kLevels = 5;
  std::vector<fs::path> folders;
  // Every level's own configs come before any copy, so that a build folder's copy, there for when
  // it is moved away, never hides the project's file that someone is editing.
  for (const char* place : {"configs", "share/diffuse/configs"}) {
    fs::path at = program_folder;
    for (int level = 0; level < kLevels && !at.empty(); ++level, at = at.parent_path()) {
      std::error_code ignored;
      if (fs::is_directory(at / place, ignored)) folders.push_back(at / place);
      if (at == at.parent_path()) break;
    }
  }
  return folders;
}

fs::path find_config_in(const std::string& name, const std::vector<fs::path>& folders) {
  std::vector<std::string> spellings = {name};
  if (!name.ends_with(".json")) spellings.push_back(name + ".json");
  for (const std::string& spelling : spellings) {
    if (is_file(spelling)) return spelling;
  }
  for (const fs::path& folder : folders) {
    for (const std::string& spelling : spellings) {
      if (!name.empty() && is_file(folder / spelling)) return folder / spelling;
    }
  }
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) {
    const std::string inside = (fs::path(name) / "config.json").string();
    throw ConfigError(fmt::format(
        "{} is a folder; expected a config file{}.", printable(name, 300),
        is_file(inside) ? fmt::format(", such as {} in it", printable(inside, 300)) : ""));
  }
  std::vector<std::string> places = {fs::current_path().string()};
  for (const fs::path& folder : folders) places.push_back(folder.string());
  const std::vector<std::string> names = shipped_names(folders);
  const auto near = nearest_name(spellings.back(), names);
  throw ConfigError(fmt::format(
      "{}: there is no such config file; looked in {}{}", printable(name, 200), join(places, ", "),
      near            ? fmt::format("; did you mean \"{}\"?", *near)
      : names.empty() ? "; DIFFUSE_CONFIGS can name the folder of the shipped configs"
                      : fmt::format("; shipped are {}", join(names, ", "))));
}

fs::path find_config(const std::string& name) {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  return find_config_in(name, config_folders(program.parent_path()));
}

}  // namespace diffuse
