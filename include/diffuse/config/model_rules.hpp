#pragma once

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Throws ConfigError, a line for each fault, where values of `model` are fine alone but not
/// together: what loading a config refuses too, for a model that is made without one.
void check_model(const ModelConfig& model);

}  // namespace diffuse
