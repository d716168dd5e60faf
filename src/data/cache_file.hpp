#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "diffuse/data/dataset.hpp"

namespace diffuse {

/// Layout of a cache file; a new number makes older files invisible.
inline constexpr std::uint32_t kCacheFormat = 6;

/// Says why a cache file cannot be used. Never leaves the cache.
class DamagedCache : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The content of a cache file.
struct CacheContent {
  std::string key;
  std::string labels;  ///< one name a line
  std::int64_t classes = 0;
  std::string layout;      ///< which columns were read: data_facts_json
  std::string vocab_hash;  ///< of the vocabulary beside the file; empty without one
  std::int64_t vocab_size = 0;
  std::unique_ptr<EncodedDataset> data;
};

/// Writes the file in blocks. Throws SystemError.
void write_cache_file(const std::filesystem::path& path, const CacheContent& header,
                      const EncodedDataset& data);

/// Maps the file into memory, where its rows stay: what is not looked at is not in memory, and the
/// system may take the place of what was. Weights and soft labels are read. Throws DamagedCache
/// unless its checksum and every number in it are right: sizes, rows one behind the other and none
/// empty, labels from -1 to below `classes`, ids below `vocab_size`, weights and shares of at least
/// 0.
CacheContent read_cache_file(const std::filesystem::path& path);

}  // namespace diffuse
