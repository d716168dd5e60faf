#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/ops/diffusion_spec.hpp"

// What the CPU kernels share: how rows, matrices and gradients lie in memory. No vector code here.

namespace diffuse::cpu {

/// Floats that every row, vector and panel is padded to: one register of AVX-512, two of AVX2, one
/// cache line. What is padded is zero, in parameters, states and gradients.
inline constexpr std::int64_t kUnit = 16;

/// Rows that go through a step's function at a time, so that they stay in the first-level cache.
inline constexpr std::int64_t kBlockRows = 48;

inline constexpr std::int64_t padded(std::int64_t width) {
  return (width + kUnit - 1) / kUnit * kUnit;
}

/// What matrix products are made of: float32 numbers, or cells of two bf16 numbers, by float32
/// instructions, by those of avx512_bf16, or by the tiles of AMX. Sums are float32.
enum class Arithmetic { single, pairs, native_pairs, tiles };

/// The matrix B `[depth, width]` of a product Y = X · B, in panels of kUnit columns: panel p holds
/// columns 16 p … 16 p + 15 of every row, one row after the other. As cells of two numbers it takes
/// the first half of each panel (pairs-inl.hpp).
struct Panels {
  std::int64_t depth = 0;
  std::int64_t width = 0;  ///< a multiple of kUnit
  const float* data = nullptr;

  std::int64_t stride() const { return depth * kUnit; }  ///< from one panel to the next
};

/// The widths of a diffusion operator, padded.
struct Widths {
  explicit Widths(const DiffusionSpec& spec);

  std::int64_t dim;     ///< D, not padded
  std::int64_t state;   ///< D
  std::int64_t hidden;  ///< H; 0 for f linear
  std::int64_t in;      ///< outputs of f's first matrix: D, H, or 2 H for glu (each half padded)
  std::int64_t active;  ///< those that are activated: D or H
  std::int64_t neighbours;  ///< K, a count
  std::int64_t mix;         ///< floats of the neighbours' gradients: K · D, or D · K · D
};

/// The parameters of one step, as the kernels read them. Pointers are null for what it lacks.
struct PackedStep {
  /// [D], of a norm after the step. Those of one before f are part of `in` and `in_bias`, which
  /// take its rows as they are normalised.
  const float* norm_weight = nullptr;
  const float* norm_bias = nullptr;
  Panels in;                       ///< x · in: depth D, width in
  Panels in_back;                  ///< its transpose, for the gradient
  const float* in_bias = nullptr;  ///< [in]
  Panels out;                      ///< depth H, width D; not for f linear
  Panels out_back;
  const float* out_bias = nullptr;  ///< [D]
  const float* alpha = nullptr;     ///< [D], after the sigmoid
  /// Factors: (1 - alpha) · W_k, [K, D]. Matrices: null.
  const float* factor = nullptr;
  Panels mix;  ///< matrices: (1 - alpha) · W_k side by side: depth K · D, width D
  Panels mix_back;
};

/// Where the gradients of one step's parameters lie in a slot's buffer, in floats. Of the mixture
/// they are those of (1 - alpha) · W_k, and of alpha the sum over rows of gradient · base. Of a
/// norm before f they are part of those of `in` and `in_bias`, as the parameters are.
struct GradientOffsets {
  std::int64_t norm_weight = 0;  ///< [D]
  std::int64_t norm_bias = 0;    ///< [D]
  std::int64_t in = 0;           ///< [in, D], an output's row after the other
  std::int64_t in_bias = 0;      ///< [in]
  std::int64_t out = 0;          ///< [D, H]
  std::int64_t out_bias = 0;     ///< [D]
  std::int64_t mix = 0;          ///< [K, D], or [D, K · D]
  std::int64_t alpha = 0;        ///< [D]
};

/// The gradients of all steps' parameters in one buffer.
struct GradientLayout {
  GradientLayout() = default;
  GradientLayout(const DiffusionSpec& spec, const Widths& widths);

  std::vector<GradientOffsets> sets;  ///< one a step, or one for all where they are shared
  std::int64_t size = 0;              ///< floats
};

/// One step as the kernels run it.
struct StepPlan {
  const PackedStep* parameters = nullptr;
  const GradientOffsets* gradient = nullptr;
  std::span<const std::int64_t> shifts;
};

/// What a thread keeps of one step for the way back; null what is not kept (enum Keep).
struct StepBuffers {
  float* state = nullptr;  ///< [R, D] h before the step: the input of f or of the norm before it
  float* mean = nullptr;   ///< [R] of the rows that are normalised before f
  float* rstd = nullptr;   ///< [R] of those, or of those normalised after the step
  float* xhat = nullptr;   ///< [R, D] the latter, before factor and shift
  float* first = nullptr;  ///< [R, in] f's first product and bias, before the activation
  float* value = nullptr;  ///< [R, D or H] `first` activated, of glu the gate's half
  float* slope = nullptr;  ///< [R, D or H] the activation's derivative
  float* u = nullptr;      ///< [R, D] f's values; of a linear f with `value` these
};

/// The same of kBlockRows rows, and what is computed from it.
struct BlockBuffers {
  float* xhat = nullptr;   ///< [rows, D]
  float* mean = nullptr;   ///< [rows]
  float* rstd = nullptr;   ///< [rows]
  float* first = nullptr;  ///< [rows, in]
  float* value = nullptr;  ///< [rows, D or H]
  float* slope = nullptr;  ///< [rows, D or H]
  float* u = nullptr;      ///< [rows, D]
};

/// Steps [begin, end).
struct StepRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Rows [begin, end) among those of a text or chunk.
struct RowSpan {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Texts that one thread takes through all steps together, or a piece of a long one.
struct Chunk {
  /// The texts' first rows among the chunk's own, [texts + 1].
  std::span<const std::int64_t> bounds;
  /// The rows that it answers for. Those around them, in a piece, are another's, computed again
  /// because these depend on them: parameters get no gradient from them.
  RowSpan own;

  std::int64_t rows() const { return bounds.back(); }
  std::int64_t texts() const { return static_cast<std::int64_t>(bounds.size()) - 1; }
};

/// What pooling's gradient needs of a text of which a chunk is a piece.
struct WholeText {
  std::int64_t rows = 0;
  const float* ties = nullptr;  ///< [D] how many rows share the maximum; null without a maximum
};

/// A thread's memory for one chunk.
struct Workspace {
  float* start = nullptr;     ///< [R, D] where the initial state is put: h, or the first step's
  float* state = nullptr;     ///< [R, D] h; where steps are kept the last one's result alone
  float* initial = nullptr;   ///< [R, D] h0, where the base is the initial state
  float* u = nullptr;         ///< [R, D] f's values in a step, where they are not kept
  float* gradient = nullptr;  ///< [R, D] of h
  /// [R, D] of f's values, then of the state before the step. Changes places with `gradient`.
  float* next_gradient = nullptr;
  float* initial_gradient = nullptr;  ///< [R, D] of h0, where the base is the initial state
  float* block = nullptr;  ///< [kBlockRows, max(K · D, in, H)] three of them, one after another
  std::int64_t block_size = 0;
  float* cells = nullptr;  ///< [block_size], rows as pairs; null where products are single
  BlockBuffers of_block;
  std::vector<StepBuffers> steps;  ///< where they are kept, else empty
};

}  // namespace diffuse::cpu
