#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <cstdint>
#include <span>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Where the sequences of a packed batch lie, in the forms that pooling needs; made once a batch.
struct Segments {
  /// `row_offsets` [B + 1], every sequence at least one row long; `options`: device and floating
  /// dtype of the rows.
  Segments(std::span<const std::int32_t> row_offsets, const at::TensorOptions& options);

  std::int64_t count;         ///< B
  at::Tensor ids;             ///< int64 [N], the sequence of each row
  at::Tensor offsets;         ///< int64 [B + 1]
  at::Tensor inverse_length;  ///< [B, 1], of the rows' dtype
};

/// The sum of each sequence's rows, `[N, D]` to `[B, D]`; differentiable. Equal calls give equal
/// bytes.
at::Tensor segment_sum(const at::Tensor& rows, const Segments& segments);

/// Pools the rows of each sequence: `rows` `[N, D]` to `[B, D]`, or `[B, 2 D]` for mean_max (the
/// mean first). Differentiable; where several rows share a maximum its gradient is split evenly.
at::Tensor segment_pool(const at::Tensor& rows, const Segments& segments, Pooling pooling);

}  // namespace diffuse
