#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// The diffusion operator without its parameters. For the rows x_i of each text:
///
///   h_i = sum over tables of E[x_i] + noise · N(0, 1) + given_i, then dropout    initial state
///
/// T times:
///
///   u_j = f(norm(h_j))                                                           norm pre, or none
///   h_i = alpha · base_i + (1 - alpha) · sum over k of W_k ∘ u_{i + shifts[k]}
///   h_i = norm(h_i)                                                              norm post
///
/// And, where pooling is set, the mean and/or the maximum over the text's rows.
///
/// base is the state h_i, or the initial one; f is linear, mlp or glu, with activation a; a
/// neighbour outside the text counts as zero.
///   linear: a(L x)             L: D to D
///   mlp:    M a(L x)           L: D to H, M: H to D
///   glu:    M (v ∘ a(w))       (v, w) = L x, L: D to 2 H, M: H to D
struct DiffusionSpec {
  std::int64_t dim = 0;         ///< D
  std::int64_t hidden_dim = 0;  ///< H, for mlp and glu
  std::vector<std::vector<std::int64_t>>
      shifts{};                     ///< of each of the T steps: ascending, K of them
  std::int64_t parameter_sets = 0;  ///< that the steps take in turns; 0: each has its own
  FunctionKind function = FunctionKind::linear;
  Activation activation = Activation::gelu;
  NormPosition norm = NormPosition::none;
  BaseState base = BaseState::state;
  WeightKind weight = WeightKind::channel;
  bool weight_learned = true;
  std::optional<double> alpha = 0.5;  ///< nothing: learned, a logit a channel
  std::optional<Pooling> pooling{};   ///< nothing: rows are the output
  double noise_std = 0;
  double embedding_dropout = 0;

  std::int64_t steps() const { return static_cast<std::int64_t>(shifts.size()); }
  std::int64_t set_count() const {
    return parameter_sets == 0 ? steps() : std::min(parameter_sets, steps());
  }
  /// Whose parameters step t has.
  std::size_t set_of(std::size_t t) const {
    return parameter_sets == 0 ? t : t % static_cast<std::size_t>(parameter_sets);
  }
  std::int64_t neighbours() const {
    return shifts.empty() ? 0 : static_cast<std::int64_t>(shifts.front().size());
  }
  /// Channels of the output.
  std::int64_t output_dim() const { return pooling == Pooling::mean_max ? 2 * dim : dim; }
};

}  // namespace diffuse
