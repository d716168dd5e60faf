#pragma once

#include <c10/core/Device.h>

#include <string>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Why no fused kernel can run a model of type `type` on `device` in `precision` (resolved): the
/// whole list of what falls back to tensor operations. Empty where one can, whatever else stands in
/// the model's config.
std::string fused_kernel_problem(ModelType type, at::Device device, Precision precision);

/// The kernel that runs where `asked` is asked for: never automatic. Where it leaves the choice,
/// and the device's own operations are wrong there (operations_problem), that is the reference,
/// with a warning the first time. Throws ConfigError where one is asked for by name and cannot be
/// had.
Kernel chosen_kernel(Kernel asked, ModelType type, at::Device device, Precision precision);

}  // namespace diffuse
