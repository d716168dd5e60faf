#pragma once

#include <map>
#include <string>

#include "diffuse/data/byte_source.hpp"

namespace diffuse {

/// The hashes of the files. The cache needs them before a file is read; without it they are taken
/// while the files are, so that these are read once.
class FileHashes {
 public:
  explicit FileHashes(bool first) : first_(first) {}

  /// Where reading the file puts its bytes; null if nowhere.
  FileHash* while_reading(const std::string& key) { return first_ ? nullptr : &reading_[key]; }
  /// What the cache's key needs; empty without a cache.
  std::string before_reading(const std::string& key, const std::string& path) {
    return first_ ? of(key, path) : "";
  }
  std::string of(const std::string& key, const std::string& path) {
    std::string& hash = known_[key];
    if (hash.empty()) hash = reading_[key].finish(path);
    return hash;
  }

 private:
  bool first_;
  std::map<std::string, FileHash> reading_;
  std::map<std::string, std::string> known_;
};

}  // namespace diffuse
