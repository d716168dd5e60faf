#pragma once

#include "diffuse/config/config.hpp"
#include "faults.hpp"

namespace diffuse {

/// Adds every file that training needs and cannot have. That data.train is not set is only said
/// where nothing else is wrong: a mistyped key may have meant it.
void find_file_faults(const Config& config, Faults& faults);

}  // namespace diffuse
