#pragma once

#include <torch/csrc/jit/api/module.h>

#include "diffuse/model/distilbert.hpp"

namespace diffuse {

/// Where the classes of the tree below stand, and what its linear layers are called.
inline constexpr const char* kDistilBertScope = "__torch__.diffuse.";
inline constexpr const char* kLinearClass = "Linear";

/// The tree of TorchScript modules of a good shape, its parameters on `device`, not initialised.
torch::jit::Module build_distilbert(const DistilBertShape& shape, at::Device device);

}  // namespace diffuse
