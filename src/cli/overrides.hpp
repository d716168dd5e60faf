#pragma once

#include <map>
#include <string>
#include <vector>

#include "diffuse/config/load.hpp"

namespace diffuse::cli {

/// Splits the values of `--set key=value`; adds a fault for every one without a key or without `=`.
Overrides parse_overrides(const std::vector<std::string>& set, std::vector<std::string>& faults);

/// A ConfigError's text with the flag in place of "command line" in front of each fault: the one
/// that `flags` names for its key, else --set.
std::string name_flags(const std::string& message, const std::map<std::string, std::string>& flags);

}  // namespace diffuse::cli
