#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/data/gold.hpp"
#include "diffuse/eval/metrics.hpp"

namespace diffuse {

/// The probability of each label by itself, 1 / (1 + e^-logit), of logits [n, C].
std::vector<float> label_probabilities(std::span<const float> logits);

/// Whether each label is answered, [n, C]: its probability is at least its threshold, of [C].
std::vector<std::uint8_t> answered_labels(std::span<const float> probabilities,
                                          std::span<const float> thresholds);

/// The threshold of each label, [C], that makes its F1 on these rows greatest, drawn to the one
/// that makes that of all decisions together greatest, as 10 rows that have the label would: of few
/// such rows the best threshold is chance. Means are taken of log-odds; of equal ones the nearest
/// to 1/2 counts. 1/2 where no row has any label. `probabilities`: [n, C].
std::vector<float> choose_thresholds(std::span<const float> probabilities, const Gold& gold);

/// Figures of `probabilities` [n, C], those of `logits`, against `gold`, which is of several
/// labels. The loss is that of the logits. Throws Error if n is 0 or sizes disagree.
Metrics compute_label_metrics(std::span<const float> logits, std::span<const float> probabilities,
                              const Gold& gold, std::span<const float> thresholds);

/// The names of the labels for which `which`, [C], is 1, with `separator` between.
std::string joined_labels(std::span<const std::uint8_t> which,
                          const std::vector<std::string>& names, const std::string& separator);

}  // namespace diffuse
