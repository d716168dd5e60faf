#pragma once

#include <c10/core/Device.h>

#include <string>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// For the start-up table: what computes the model, and how far two runs are the same: by this
/// program's kernels to the bit; by LibTorch's operations where those have a form that adds in one
/// order (wants_deterministic); else "not exact".
std::string kernel_text(Kernel kernel, at::Device device, const Config& config, Precision precision,
                        bool resumed);

/// Whether a training by `kernel` asks LibTorch for such forms (DeterministicScope). By operations
/// of this program it needs none, and the CPU's add in one order as they are.
bool wants_deterministic(Kernel kernel, at::Device device);

}  // namespace diffuse
