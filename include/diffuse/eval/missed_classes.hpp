#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/eval/metrics.hpp"

namespace diffuse {

/// The classes with rows of which none is answered right, those of most rows first: their recall is
/// 0, whatever the accuracy of the others hides.
std::vector<std::int32_t> missed_classes(const Metrics& metrics);

/// What to tell of `missed_classes` on the rows called `name` ("test"): how many they are, and of
/// the first ten the name, the rows and how often they are answered at all; else empty. `labels`:
/// [C] names of the classes.
std::string missed_classes_text(const Metrics& metrics, std::span<const std::string> labels,
                                const std::string& name);

}  // namespace diffuse
