#pragma once

#include <string>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// The vocabulary file that `config` reads: only word pieces have one.
std::string vocab_file(const TokenizerConfig& config);

}  // namespace diffuse
