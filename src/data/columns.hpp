#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/text_keys.hpp"

namespace diffuse {

/// Which columns of a CSV or TSV file are label and text.
struct Columns {
  std::size_t count = 0;  ///< fields of every record
  std::size_t label = 0;
  std::vector<std::size_t> texts;
  bool header = false;      ///< the first record holds names
  std::string description;  ///< all of this in words, for the log
};

/// Decides by the first record and the config (docs/data.md, "Columns"). `line` is the record's.
/// Throws DataError if a column is not there, ConfigError if the config contradicts itself.
Columns resolve_columns(const std::vector<std::string>& first, const DataConfig& config,
                        const std::filesystem::path& path, std::size_t line);

/// Which keys of a JSONL file are label and text.
struct Keys {
  std::string label;
  std::vector<std::string> texts;
  std::string description;  ///< both in words, for the log
};

/// Decides by the first object's keys, in their order, with `contents[i]` telling what key i
/// holds. Throws as resolve_columns.
Keys resolve_keys(const std::vector<std::string>& keys, const std::vector<KeyContent>& contents,
                  const DataConfig& config, const std::filesystem::path& path, std::size_t line);

}  // namespace diffuse
