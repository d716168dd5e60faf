#pragma once

#include <torch/csrc/jit/api/module.h>

#include "diffuse/model/distilbert.hpp"

namespace diffuse {

/// The tree of TorchScript modules of a good shape, its parameters not initialised.
torch::jit::Module build_distilbert(const DistilBertShape& shape);

}  // namespace diffuse
