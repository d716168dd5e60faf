#pragma once

#include <c10/core/Device.h>

#include <string>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Why no fused kernel can run a model of type `type` on `device` in `precision` (resolved): the
/// whole list of what falls back to tensor operations. Empty where one can, whatever else stands in
/// the model's config.
std::string fused_kernel_problem(ModelType type, at::Device device, Precision precision);

/// Whether the fused kernel runs where `kernel` is asked for. Throws ConfigError where it is asked
/// for by name and cannot be had.
bool runs_fused(Kernel kernel, ModelType type, at::Device device, Precision precision);

}  // namespace diffuse
