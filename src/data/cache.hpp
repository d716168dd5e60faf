#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/layout.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// What one entry of the cache holds.
struct CachedFile {
  std::unique_ptr<EncodedDataset> data;
  Labels labels;
  RecordLayout layout;
  std::int64_t vocab_size = 0;
  std::filesystem::path vocab;  ///< file of the vocabulary built from the data; empty without one
};

/// Encoded files on disk: one folder an entry, named by a key that stands for everything the entry
/// was made from. Entries are checked in full before use and never changed.
class EncodedCache {
 public:
  /// A cache in `data.cache_dir` (empty: ${XDG_CACHE_HOME:-$HOME/.cache}/diffuse), or one that
  /// holds nothing if `data.cache` is off, rows need their n-grams, which no cached file has, or
  /// there is no home folder.
  explicit EncodedCache(const DataConfig& data, bool with_ngrams = false);

  /// The entry, or nothing if there is none or it is damaged; then a log line says so. `name` is
  /// how log lines call the file.
  std::optional<CachedFile> find(const std::string& key, const std::string& name) const;

  /// Writes the entry so that it is there whole or not at all. `vocab_text` is empty unless the
  /// vocabulary was built from the data. A failure is a warning in the log. What processes that
  /// were killed while they wrote this entry have left is removed after an hour.
  void store(const std::string& key, const std::string& name, const EncodedDataset& data,
             const Labels& labels, std::int64_t vocab_size, std::string_view vocab_text,
             const RecordLayout& layout = {}) const;

  bool enabled() const { return !folder_.empty(); }
  std::filesystem::path entry(const std::string& key) const { return folder_ / key; }

 private:
  std::filesystem::path folder_;
};

/// Where the cache of `data` is, and where rows beyond memory stand; empty where data.cache is off
/// or there is no home folder.
std::filesystem::path cache_folder(const DataConfig& data);

/// Hash of `parts`, each with its length, and of the format's and the program's version.
std::string cache_key(const std::vector<std::string>& parts);

}  // namespace diffuse
