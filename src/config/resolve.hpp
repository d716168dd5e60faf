#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "convert.hpp"
#include "field.hpp"

namespace diffuse {

/// Where a value comes from, which says what a path and a "${" in it mean.
struct ValueSource {
  /// That relative paths start from; empty, for what config_json wrote: they are left alone, and
  /// "$${" is a "${".
  std::filesystem::path folder;
  bool variables = false;  ///< ${VAR} is replaced
};

/// `json` as a value of `field`: variables replaced, type, range and choice checked, paths made
/// absolute. Nothing when it does not fit; `problem` says then why.
std::optional<Value> resolve_value(const Field& field, Json json, const ValueSource& source,
                                   std::string& problem);

}  // namespace diffuse
