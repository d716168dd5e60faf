#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/layers.hpp"
#include "diffuse/ops/neighbour_masks.hpp"

namespace diffuse {

/// The function f of a step, on every row alone, `[N, D]` to `[N, D]`, with activation a:
///   linear: a(L x)             L: D to D
///   mlp:    M a(L x)           L: D to H, M: H to D
///   glu:    M (u ∘ a(v))       (u, v) = L x, L: D to 2 H, M: H to D
/// H is hidden_dim, or 2 D where that is 0.
class StepFunction {
 public:
  StepFunction(const ModelConfig& config, at::Generator& generator);

  at::Tensor forward(const at::Tensor& x) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);

 private:
  FunctionKind kind_;
  Activation activation_;
  Linear in_;
  Linear out_;  // not for linear
};

/// T diffusion steps:
///   u_j = f(norm(h_j))                                                     norm: pre or none
///   h_i = alpha · base_i + (1 - alpha) · sum over j in N(i) of W_{j-i} ∘ u_j
///   h_i = norm(h_i)                                                        norm: post
/// base is the state h_i, or the initial one; N(i) stands in neighbourhood_shifts.
/// Under autocast (device/precision.hpp) u and the sum over it are in half precision, the states
/// float32.
class DiffusionStack {
 public:
  /// Throws ConfigError as check_model (config/model_rules.hpp) does.
  DiffusionStack(const ModelConfig& config, at::Generator& generator);

  /// `initial` `[N, D]`, the rows of a packed batch; `row_offsets` [B + 1], its sequences. Returns
  /// the last state `[N, D]`; without steps `initial` itself.
  at::Tensor forward(const at::Tensor& initial, std::span<const std::int32_t> row_offsets) const;

  /// The trained tensors: one set for each step, or step 0's alone where they are shared.
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
  /// The tensors that are not trained but move with the model.
  void visit_constants(const ParameterVisitor& visitor);

 private:
  struct StepParameters {
    at::Tensor weight;                // [K], [K, D] or [K, D, D]
    std::optional<at::Tensor> alpha;  // [D], before the sigmoid
    std::optional<LayerNorm> norm;
    StepFunction function;
  };

  const StepParameters& parameters_of(std::size_t step) const {
    return parameters_[share_weights_ ? 0 : step];
  }
  at::Tensor step_values(const at::Tensor& state, std::size_t index) const;  // u
  at::Tensor step(const at::Tensor& base, const at::Tensor& values, std::size_t index,
                  const NeighbourMasks& masks) const;

  double alpha_;
  bool share_weights_;
  bool weight_learned_;
  NormPosition norm_;
  BaseState base_;
  std::vector<std::vector<std::int64_t>> shifts_;  // of each step
  std::vector<std::int64_t> all_shifts_;           // of all steps
  std::vector<StepParameters> parameters_;
};

}  // namespace diffuse
