#pragma once

#include <span>
#include <string>
#include <vector>

#include "diffuse/text/labels.hpp"

namespace diffuse {

/// Name of the file in a checkpoint of several labels a text that holds the probability from which
/// on each label is answered.
inline constexpr const char* kThresholdsFile = "thresholds.json";

/// What a label is answered from where no validation rows have chosen it.
inline constexpr float kUsualThreshold = 0.5F;

/// `{"label": threshold, …}`, the content of the file. `thresholds`: [C].
std::string thresholds_json(std::span<const float> thresholds, const Labels& labels);
/// Reads it; `place` names it in errors. Throws DataError unless each label has a number from 0 to
/// 1.
std::vector<float> parse_thresholds(const std::string& text, const Labels& labels,
                                    const std::string& place);

}  // namespace diffuse
