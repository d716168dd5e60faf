#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace diffuse {

/// The name of stdin, which is read once.
inline constexpr const char* kStdinName = "-";

/// A file, or several that are read one after the other as one; a name may be a pattern.
struct InputFiles {
  InputFiles() = default;
  // A file's name stands for the file alone; an empty one for none.
  InputFiles(std::string file) {  // NOLINT: see above
    if (!file.empty()) names.push_back(std::move(file));
  }
  InputFiles(const char* file) : InputFiles(std::string(file)) {}               // NOLINT
  InputFiles(const std::filesystem::path& file) : InputFiles(file.string()) {}  // NOLINT
  InputFiles(std::vector<std::string> several) : names(std::move(several)) {}   // NOLINT

  bool empty() const { return names.empty(); }
  /// Whether the rows come through stdin.
  bool from_stdin() const { return names.size() == 1 && names.front() == kStdinName; }
  /// The first name, or nothing.
  std::string first() const { return names.empty() ? std::string() : names.front(); }
  /// For messages: "a.csv", "a.csv, b.csv" or "a.csv and 12 more".
  std::string text() const;
  bool operator==(const InputFiles&) const = default;

  std::vector<std::string> names;
};

/// What scripts/get_data.sh calls the public data set of which `file` is, by the folder where the
/// shipped configs look for it; empty: it is of none.
std::string public_data_set(const std::filesystem::path& file);

/// Whether `name` is a pattern ("news-*.csv") and no file that is called so. Folders that are
/// called as they stand in it, stars and all, are no part of a pattern.
bool is_file_pattern(const std::string& name);

/// The files in their order, with those that a pattern matches, by their names' bytes, in its
/// place. `problems` gets a line for a pattern that matches no file, an empty name and a file that
/// comes twice, by whatever name or link.
std::vector<std::string> find_files(const InputFiles& files, std::vector<std::string>& problems);

/// The same. Throws DataError with what is wrong; `what` says whose files they are ("data.train").
std::vector<std::string> find_files(const InputFiles& files, const std::string& what);

}  // namespace diffuse
