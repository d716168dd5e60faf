#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Floating-point operations of the matrix products and neighbour sums of one forward pass over
/// texts of `lengths` tokens (a multiplication and an addition are two). Element-wise work is left
/// out. Nothing for a TorchScript module of somebody else, of which only its signature is known.
/// A training step is counted as three forward passes: backward has two products for each one.
std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                    std::span<const std::int64_t> lengths);

}  // namespace diffuse
