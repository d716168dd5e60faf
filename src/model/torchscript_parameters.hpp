#pragma once

#include <vector>

#include "torchscript_impl.hpp"

namespace diffuse {

/// The module's parameters of a floating type by their dotted names, each tensor once; they
/// require gradients afterwards. Roles as TorchScriptClassifier::parameters() gives them.
std::vector<NamedParameter> trained_parameters(const torch::jit::Module& module);

}  // namespace diffuse
