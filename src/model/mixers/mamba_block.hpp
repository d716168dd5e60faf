#pragma once

#include "mixer.hpp"
#include "state_space.hpp"

namespace diffuse {

/// One reading direction of Mamba-2 (Dao & Gu 2024, arXiv:2405.21060, figure 6 right): one product
/// gives gate z, input x, B, C and step sizes; a causal convolution of each channel and SiLU work
/// on x, B and C; then the state space, plus a share of x; its outcome, gated by SiLU of z, is
/// divided by its root mean square and projected back.
class MambaReader {
 public:
  MambaReader(const Config& config, FreshTensors& tensors);
  /// Packed rows [N, D], read from each text's first to its last.
  at::Tensor forward(const at::Tensor& x, const TextGrid& grid) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);

 private:
  /// From the product's rows to those of the product back, [N, E].
  at::Tensor read(const at::Tensor& products, const TextGrid& grid) const;

  std::int64_t inner_;  // E: channels inside
  std::int64_t state_;  // N
  std::int64_t heads_;
  std::int64_t chunk_;
  at::Tensor in_;           // [2 E + 2 N + heads, D]
  at::Tensor conv_weight_;  // [E + 2 N, 1, width]
  at::Tensor conv_bias_;    // [E + 2 N]
  at::Tensor step_bias_;    // [heads]
  at::Tensor log_decay_;    // [heads], log of -A
  at::Tensor skip_;         // [heads], D of the paper
  at::Tensor norm_;         // [E]
  at::Tensor out_;          // [D, E]
};

/// x + read(norm(x)), and with mixer.both_directions + read backwards by a reader of its own; the
/// norm is the root mean square's. In training mixer.dropout works on what is added.
class MambaBlock final : public MixerBlock {
 public:
  MambaBlock(const Config& config, FreshTensors& tensors);
  at::Tensor forward(const at::Tensor& x, const TextGrid& grid,
                     const ForwardContext& context) const override;
  void visit(const std::string& prefix, const ParameterVisitor& visitor) override;

 private:
  double dropout_;
  at::Tensor norm_;  // [D]
  MambaReader forwards_;
  std::optional<MambaReader> backwards_;
};

}  // namespace diffuse
