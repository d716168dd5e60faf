#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/layout.hpp"
#include "json_line.hpp"

namespace diffuse {

/// The first objects of a JSONL file, by which its keys are decided about.
struct FirstObjects {
  std::filesystem::path path;
  std::uint32_t line = 1;    ///< of the first object
  bool own_settings = true;  ///< see ReadOptions
  const JsonLine* first = nullptr;
  std::vector<const JsonLine*> below;  ///< those behind it; empty in a stream
};

/// Decides which keys of any of the objects are label and text by the config (docs/data.md,
/// "Columns"). Throws DataError if a key is not there, ConfigError if the config contradicts
/// itself.
RecordLayout resolve_keys(const FirstObjects& objects, const DataConfig& config);

/// The keys of another file than the one that `model` was found in: those of the same names. Where
/// `model` has none, a file of numbered columns, as resolve_keys. What `config` says lays itself
/// over `model`. Throws DataError saying what is missing and what helps.
RecordLayout find_keys(const FirstObjects& objects, const DataConfig& config,
                       const RecordLayout& model);

/// The keys of `line`'s text, where the label need not be there: those of `data.text_columns` or
/// else of `model` (null: none is known) that it has, the key `text`, or, where no names are known,
/// those that training would find. `problem` says what is missing if there are none.
std::vector<std::string> text_keys(const JsonLine& line, const DataConfig& config,
                                   const RecordLayout* model, std::string& problem);

}  // namespace diffuse
