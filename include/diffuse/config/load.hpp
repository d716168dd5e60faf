#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Values that the command line lays over a file: ("train.learning_rate", "0.001"). Paths among
/// them are relative to the working directory.
using Overrides = std::vector<std::pair<std::string, std::string>>;

/// Whether loading a configuration also checks that the files that training needs are set and can
/// be read; a missing one of a public data set names `scripts/get_data.sh`.
enum class FileChecks { none, training };

/// Reads `path` (JSON with // comments), replaces `${VAR}` and `${VAR:-default}`, lays `overrides`
/// over it and checks everything: unknown keys, types, ranges, choices, combinations. Relative
/// paths become absolute: those of the file by the file's folder, others by the working directory.
/// Throws one ConfigError that lists every fault: where (file, JSON path), the value, what is
/// allowed, the nearest name; with FileChecks::training also what is wrong with its
/// files.
Config load_config(const std::filesystem::path& path, const Overrides& overrides,
                   FileChecks files = FileChecks::none);

/// The stored configuration `path` of a run, whose paths are absolute and in which "$${" stands for
/// "${" and nothing is replaced, with `overrides` over it. Throws as load_config does.
Config load_stored_config(const std::filesystem::path& path, const Overrides& overrides,
                          FileChecks files = FileChecks::none);

/// The defaults with `overrides` over them.
Config default_config(const Overrides& overrides, FileChecks files = FileChecks::none);

/// A config file named on the command line: `name` itself if it exists, else `name` in the
/// project's configs folder (`$DIFFUSE_CONFIGS`, else configs/ beside or above the program's own
/// folder). Throws ConfigError listing the places looked at and the nearest name.
std::filesystem::path find_config(const std::string& name);

/// The effective configuration as JSON, every key, `indent` 2; reads back to the same Config, as a
/// stored one and as a config file: a "${" in it is written "$${".
std::string config_json(const Config& config);
/// From `config_json`'s text (a stored config), with `overrides` over it. `source` names it in
/// errors. Throws ConfigError.
Config parse_config(std::string_view json, const std::string& source,
                    const Overrides& overrides = {});

/// All parameters at their defaults as commented JSON: a config file that is its own manual.
std::string default_config_text();
/// JSON Schema (draft 2020-12) for editors.
std::string config_schema();
/// docs/configuration.md.
std::string config_reference_markdown();

/// The text of train.length and train.warmup that leaves their length to the number of rows.
inline constexpr std::string_view kAutomaticLength = "auto";

/// A length with its unit: "3e" epochs, "5000u" updates, "30m" minutes.
struct Length {
  enum class Unit { epochs, updates, minutes };
  double value = 0;
  Unit unit = Unit::epochs;
};
/// Throws ConfigError.
Length parse_length(std::string_view text);
/// Updates that `length`, which is not in minutes, makes; at least 0.
std::int64_t length_in_updates(const Length& length, std::int64_t updates_per_epoch);

/// A key whose values differ between two configurations, as JSON.
struct ConfigDifference {
  std::string key;  ///< "train.length"
  std::string from;
  std::string to;
  bool may_change = false;  ///< when a run is resumed
};
/// In the order of the tables; empty for equal ones.
std::vector<ConfigDifference> config_differences(const Config& from, const Config& to);

/// The name of an enumerator as config files spell it, for every enum of config.hpp.
template <class Enum>
std::string_view enum_name(Enum value);

/// Whether a model of `type` looks at the key `name` of `section`.
bool has_effect(std::string_view section, std::string_view name, ModelType type);

}  // namespace diffuse
