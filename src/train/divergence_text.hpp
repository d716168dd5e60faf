#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "diffuse/config/config.hpp"
#include "divergence.hpp"

namespace diffuse {

/// What the user is told of a run that diverged: update, figures, the rows (their numbers in the
/// training file) and what to change. `last_checkpoint` is empty where there is none yet.
std::string divergence_text(const Divergence& divergence, const Config& config,
                            std::span<const std::uint64_t> row_numbers,
                            const std::string& last_checkpoint);

}  // namespace diffuse
