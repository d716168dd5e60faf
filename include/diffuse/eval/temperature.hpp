#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/eval/coverage.hpp"

namespace diffuse {

/// What dividing all logits by a temperature does to the probabilities: the most probable class
/// stays the same, how sure the model calls itself becomes what it is right on.
struct Calibration {
  double temperature = 1;
  double ece_before = 0;  ///< expected calibration error without it
};

/// The temperature of the smallest mean cross-entropy of `logits` [n, C] / temperature against
/// `gold` (C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
/// ICML 2017); rows of gold -1 count nowhere. From 0.05 to 20, and drawn weakly to 1, as by one
/// more row, so that few rows without an error do not ask for 0.
double fit_temperature(std::span<const float> logits, std::span<const std::int32_t> gold,
                       std::int64_t classes);

/// The answers of logits [n, C] against `gold` once they are divided by `temperature`.
std::vector<Answered> answered_at(std::span<const float> logits, std::span<const std::int32_t> gold,
                                  std::int64_t classes, double temperature);

/// Divides `logits` by `temperature` (above 0). Their order stays, and 1 changes no bit.
void apply_temperature(std::span<float> logits, double temperature);

}  // namespace diffuse
