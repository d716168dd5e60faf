#pragma once

#include <ATen/ops/ones.h>
#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>

namespace diffuse::testing {

/// A module with one parameter `weight` [40, 3] and the methods of `source`.
inline torch::jit::Module module_of(const std::string& source) {
  torch::jit::Module module("__torch__.Test", std::make_shared<torch::jit::CompilationUnit>());
  module.register_attribute("training", c10::BoolType::get(), true);
  module.register_parameter("weight", at::ones({40, 3}), /*is_buffer=*/false);
  if (!source.empty()) module.define(source);
  return module;
}

}  // namespace diffuse::testing
