#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace diffuse {

/// DistilBERT with the weights of its linear layers in half precision, for inference. Autocast
/// would convert all 43 million at every call, which takes as long as the arithmetic of a short
/// text. Embeddings and layer norms stay float32, as autocast leaves them: the logits are the same
/// to the bit.
class HalfLinears {
 public:
  /// Whether `module` is one of build_distilbert: of others it is not known what else a linear
  /// layer's weight is used for.
  static bool are_in(const torch::jit::Module& module);
  /// Such a `module` with its linear layers' weights as `type`; what is not of a linear layer is
  /// shared. Kept until a weight has changed.
  const torch::jit::Module& of(const torch::jit::Module& module, at::ScalarType type);
  /// Frees the copies.
  void clear();

 private:
  /// What is different after any change of a weight.
  struct Version {
    const void* data = nullptr;
    std::uint32_t number = 0;
    bool operator==(const Version&) const = default;
  };
  std::vector<Version> versions() const;

  std::optional<torch::jit::Module> half_;
  at::ScalarType type_ = at::kFloat;
  std::vector<at::Tensor> weights_;  // in float32, of the linear layers
  std::vector<Version> versions_;    // of them, when half_ was made
};

}  // namespace diffuse
