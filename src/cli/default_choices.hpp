#pragma once

#include <vector>

#include "diffuse/config/load.hpp"

namespace diffuse::cli {

/// `config`, for which no file was given, with what suits the texts that it names to train on
/// (docs/defaults.md), found out on these texts; keys among `given` stay. Says in the log what it
/// chose. A file that cannot be read changes nothing: whoever reads it in earnest says why.
Config choose_defaults(const Config& config, const Overrides& given);

/// `start` with each of the recipes for a kind of texts (docs/defaults.md) over it. Keys among
/// `given` stay, and the rows that are held back. One that the configuration's checks refuse is
/// left out.
std::vector<Config> default_recipes(const Config& start, const Overrides& given);

}  // namespace diffuse::cli
