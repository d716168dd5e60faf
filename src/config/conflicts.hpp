#pragma once

#include <string>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Values that are fine alone but not together.
struct Conflict {
  std::vector<std::string> keys;  ///< the one to blame first
  std::string message;
};

/// What makes the configuration impossible. Each value alone has passed its checks.
std::vector<Conflict> find_conflicts(const Config& config);

/// What was set but has no effect, or one that hardly anybody wants. Not an error: one key changed
/// on the command line may well leave others of the file without a purpose. For a configuration
/// without conflicts.
std::vector<Conflict> find_oddities(const Config& config);

/// The part of find_conflicts that each type of model has for itself.
void find_model_type_conflicts(const Config& config, std::vector<Conflict>& found);
/// The part of find_oddities about what models of another type alone look at.
void find_ineffective_keys(const Config& config, std::vector<Conflict>& found);

}  // namespace diffuse
