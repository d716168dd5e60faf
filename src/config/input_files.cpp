#include "diffuse/config/input_files.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <set>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

/// Folders aside, in the order of their bytes, which no locale changes.
std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> files;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      std::error_code ignored;
      if (!fs::is_directory(found.gl_pathv[i], ignored)) files.emplace_back(found.gl_pathv[i]);
    }
  }
  ::globfree(&found);
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::string InputFiles::text() const {
  if (from_stdin()) return "stdin";
  constexpr std::size_t kShown = 2;
  if (names.size() <= kShown) return join(names, ", ");
  return fmt::format("{} and {} more", names.front(), names.size() - 1);
}

bool is_file_pattern(const std::string& name) {
  std::error_code ignored;
  return name.find_first_of("*?[") != std::string::npos && !fs::exists(name, ignored);
}

std::vector<std::string> find_files(const InputFiles& files, std::vector<std::string>& problems) {
  std::vector<std::string> found;
  std::set<std::string> known;
  const auto add = [&](const std::string& file) {
    // By whatever name: "./a.csv" is "a.csv".
    if (known.insert(fs::absolute(file).lexically_normal().string()).second) {
      found.push_back(file);
      return;
    }
    problems.push_back(
        fmt::format("{} comes twice; expected each file once (a pattern may match "
                    "one that is named, too)",
                    printable(file, 300)));
  };
  for (const std::string& name : files.names) {
    if (name == kStdinName) {
      if (files.names.size() > 1)
        problems.emplace_back("- is stdin, which cannot stand beside files; expected - alone");
      found.push_back(name);
    } else if (name.empty()) {
      problems.emplace_back("one of the names is empty; expected a file or a pattern");
    } else if (!is_file_pattern(name)) {
      add(name);
    } else if (const std::vector<std::string> matches = matches_of(name); matches.empty()) {
      problems.push_back(fmt::format(
          "{} matches no file; expected a file, or a pattern with *, ? or [...] that matches some",
          printable(name, 300)));
    } else {
      for (const std::string& file : matches) add(file);
    }
  }
  return found;
}

std::vector<std::string> find_files(const InputFiles& files, const std::string& what) {
  std::vector<std::string> problems;
  std::vector<std::string> found = find_files(files, problems);
  if (!problems.empty())
    throw DataError(fmt::format("{}: {}", what, join(problems, fmt::format("\n{}: ", what))));
  return found;
}

}  // namespace diffuse
