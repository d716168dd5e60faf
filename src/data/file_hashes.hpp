#pragma once

#include <map>
#include <string>
#include <vector>

#include "diffuse/data/byte_source.hpp"

namespace diffuse {

/// The hashes of the files. The cache needs them before a file is read; without it they are taken
/// while the files are, so that these are read once.
class FileHashes {
 public:
  explicit FileHashes(bool first) : first_(first) {}

  /// Where reading a single file puts its bytes; null if nowhere.
  FileHash* while_reading(const std::string& key) { return first_ ? nullptr : &reading_[key]; }
  /// What the cache's key needs; empty without a cache.
  std::string before_reading(const std::string& key, const std::vector<std::string>& files) {
    return first_ ? of(key, files) : "";
  }
  /// Of several files that of their hashes, one a line.
  std::string of(const std::string& key, const std::vector<std::string>& files) {
    std::string& hash = known_[key];
    if (!hash.empty()) return hash;
    if (files.size() == 1) {
      hash = reading_[key].finish(files.front());
      return hash;
    }
    Hasher hasher;
    for (const std::string& file : files) hasher.update(hash_file(file) + "\n");
    hash = hasher.hex();
    return hash;
  }

 private:
  bool first_;
  std::map<std::string, FileHash> reading_;
  std::map<std::string, std::string> known_;
};

}  // namespace diffuse
