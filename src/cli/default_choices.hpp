#pragma once

#include "diffuse/config/load.hpp"

namespace diffuse::cli {

/// `config`, for which no file was given, with what suits the texts that it names to train on
/// (docs/defaults.md), found out on these texts; keys among `given` stay. Says in the log what it
/// chose. A file that cannot be read changes nothing: whoever reads it in earnest says why.
Config choose_defaults(const Config& config, const Overrides& given);

}  // namespace diffuse::cli
