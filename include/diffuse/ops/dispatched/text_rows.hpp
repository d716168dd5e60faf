#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Operations on the rows of packed texts that LibTorch's dispatcher knows as `diffuse::…`, each
/// with a gradient of its own. There are kernels for the CPU, whose row functions (src/ops/rows)
/// are those of the CUDA module, for tests and comparisons; on CUDA the module registers its own.
/// Equal calls give equal bytes: every sum has one order, whatever the threads.

/// Where the texts of a packed batch lie, on the device of its rows.
struct TextRows {
  /// `row_offsets` int32 [B + 1]; `rows` N.
  TextRows(at::Tensor row_offsets, std::int64_t rows);

  at::Tensor offsets;  ///< int32 [B + 1]
  at::Tensor of_row;   ///< int32 [N], the text of each row
};

/// One diffusion step after f: out_i = keep ∘ base_i + Σ_k weight_k ∘ values_{i + shifts[k]}, where
/// a neighbour outside of the row's text counts as zero.
///
/// `values` [N, D], float64, float32, bfloat16 or float16; `base` [N, D], `weight` [K] or [K, D]
/// and `keep`, a number or [D], of float64 with float64 values, else float32. Returns [N, D] in
/// base's type. Throws Error for other shapes or types, or more than kMostMixed shifts.
at::Tensor neighbour_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
                         const at::Tensor& keep, const TextRows& texts,
                         std::span<const std::int64_t> shifts);

/// The same with one alpha for all channels, which is not learned:
/// out_i = alpha · base_i + (1 - alpha) · Σ_k weight_k ∘ values_{i + shifts[k]}.
at::Tensor neighbour_blend(const at::Tensor& values, const at::Tensor& base,
                           const at::Tensor& weight, double alpha, const TextRows& texts,
                           std::span<const std::int64_t> shifts);

/// The most shifts of one neighbour_mix or neighbour_blend.
inline constexpr std::size_t kMostMixed = 32;

/// Row i + shift of `values` [N, D], of any floating type, in the place of row i; zeros where that
/// is another text's or none.
at::Tensor neighbour_rows(const at::Tensor& values, const TextRows& texts, std::int64_t shift);

/// Pools the rows of each text as segment_pool does: `rows` [N, D], float32 or float64, to [B, D],
/// or [B, 2 D] for mean_max (the mean first). Where several rows share a maximum its gradient is
/// split evenly.
at::Tensor pool_texts(const at::Tensor& rows, const TextRows& texts, Pooling pooling);

}  // namespace diffuse
