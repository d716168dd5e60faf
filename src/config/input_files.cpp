#include "diffuse/config/input_files.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

/// Where the pattern of `name` begins. The folders before it are called so, stars and all: the
/// working folder or a config's may be, and nobody asked for a pattern by that.
std::size_t pattern_begin(const std::string& name) {
  std::size_t begin = 0;
  for (std::size_t slash = 0; (slash = name.find('/', begin)) != std::string::npos;) {
    std::error_code ignored;
    if (!fs::is_directory(name.substr(0, slash + 1), ignored)) break;
    begin = slash + 1;
  }
  return begin;
}

/// `name` as glob reads it for itself.
std::string quoted_for_glob(std::string_view name) {
  std::string quoted;
  for (const char c : name) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted;
}

/// Folders aside, in the order of their bytes, which no locale changes.
std::vector<std::string> matches_of(const std::string& name) {
  const std::size_t begin = pattern_begin(name);
  const std::string pattern =
      quoted_for_glob(std::string_view(name).substr(0, begin)) + name.substr(begin);
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

fs::path plain_path(const std::string& file) { return fs::absolute(file).lexically_normal(); }

/// The same for every name of a file: "./a.csv" is "a.csv", and so is a link to it.
std::string one_name(const std::string& file) {
  std::error_code problem;
  fs::path real = fs::weakly_canonical(fs::absolute(file), problem);
  if (problem) real = plain_path(file);
  return real.string();
}

}  // namespace

std::string InputFiles::text() const {
  if (from_stdin()) return "stdin";
  constexpr std::size_t kShown = 2;
  if (names.size() <= kShown) return join(names, ", ");
  return fmt::format("{} and {} more", names.front(), names.size() - 1);
}

std::string public_data_set(const fs::path& file) {
  const std::string folder = file.parent_path().filename().string();
  if (folder == "lra") return file.filename().string().starts_with("image_") ? "image" : "";
  constexpr std::string_view kOwnFolder[] = {"ag_news", "imdb", "trec"};
  return std::ranges::find(kOwnFolder, folder) != std::end(kOwnFolder) ? folder : "";
}

bool is_file_pattern(const std::string& name) {
  std::error_code ignored;
  return name.find_first_of("*?[", pattern_begin(name)) != std::string::npos &&
         !fs::exists(name, ignored);
}

std::vector<std::string> find_files(const InputFiles& files, std::vector<std::string>& problems) {
  std::vector<std::string> found;
  std::map<std::string, std::string> known;  // what each file was called when it came first
  const auto add = [&](const std::string& file) {
    const auto [first, added] = known.emplace(one_name(file), file);
    if (added) {
      found.push_back(file);
      return;
    }
    const bool link = plain_path(file) != plain_path(first->second);
    problems.push_back(fmt::format(
        "{} comes twice{}; expected each file once (a pattern may match one that is named, too)",
        printable(file, 300),
        link ? fmt::format(", by a link, for it is {}", printable(first->second, 300)) : ""));
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
