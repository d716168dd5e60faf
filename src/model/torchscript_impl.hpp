#pragma once

// TorchScript's headers take ten seconds and more in a source: only sources that need a module
// include this.

#include <torch/csrc/jit/api/module.h>

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/model/torchscript_classifier.hpp"
#include "half_linears.hpp"

namespace diffuse {

/// The signature that every module must have, for messages.
inline constexpr const char* kTorchScriptSignature =
    "forward(input_ids int64[B, L], attention_mask int64[B, L]) -> logits[B, C]";
/// Names that a module may have besides, see TorchScriptClassifier.
inline constexpr const char* kUnpaddedMethod = "forward_unpadded";
inline constexpr const char* kMaxTokensAttribute = "max_tokens";

struct TorchScriptClassifier::Impl {
  torch::jit::Module module;
  TorchScriptShape shape;
  at::Device device = at::kCPU;
  std::vector<NamedParameter> parameters;
  bool has_unpadded = false;
  bool has_linears = false;      ///< that `half` knows
  HalfLinears half;              ///< for inference in half precision
  std::optional<bool> training;  ///< the module's mode; unknown at first

  void set_training(bool on);
  /// The module to run: `half`'s where autocast would convert the weights and no gradient is asked
  /// for. To be called in the mode that it will run in.
  const torch::jit::Module& to_run();
};

/// What went wrong, from an exception of LibTorch: one line without the traces of the TorchScript
/// and C++ stacks.
std::string torchscript_reason(const std::exception& error);

}  // namespace diffuse
