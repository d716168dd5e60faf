#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/layout.hpp"

namespace diffuse {

/// What is known of a CSV or TSV file when its columns are decided about.
struct FirstRows {
  using Row = std::vector<std::string>;

  std::filesystem::path path;
  std::uint32_t line = 1;  ///< of the first record
  FileFormat format = FileFormat::csv;
  char separator = ',';
  char other_separator = 0;  ///< one that would fit the file; 0: none
  bool own_settings = true;  ///< see ReadOptions
  Row first;
  std::vector<const Row*> below;     ///< records behind it with as many fields; empty in a stream
  std::vector<std::uint32_t> lines;  ///< of these
};

/// Decides which columns are label and text by the config (docs/data.md, "Columns"). `need_label`:
/// the file is labelled. Throws DataError if a column is not there, ConfigError if the config
/// contradicts itself.
RecordLayout resolve_columns(const FirstRows& rows, const DataConfig& config, bool need_label);

/// The columns of another file than the one that `model` was found in: the same ones, by their
/// names where these are known, else by their numbers. What `config` says about header, label or
/// text lays itself over `model`. Throws DataError saying what is missing and what helps.
RecordLayout find_columns(const FirstRows& rows, const DataConfig& config,
                          const RecordLayout& model, bool need_label);

}  // namespace diffuse
