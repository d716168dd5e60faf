#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// Packed rows [N, ...] of a batch's texts and the same in a grid [B, L, ...], where each text has
/// a line as long as the longest. Linear layers and norms work on packed rows; what lets the rows
/// of a text see each other works on the grid.
class TextGrid {
 public:
  explicit TextGrid(const Batch& batch);

  std::int64_t texts() const { return texts_; }         ///< B
  std::int64_t longest() const { return longest_; }     ///< L
  bool is_padded() const { return places_.defined(); }  ///< else all texts are of length L
  /// Bool [B, L], true at tokens; undefined where nothing is padded.
  const at::Tensor& mask() const { return mask_; }
  /// int64 [N], where each row stands in its text, from 0.
  const at::Tensor& positions() const { return positions_; }
  /// int32 [B + 1], where each text begins among the packed rows.
  const at::Tensor& offsets() const { return offsets_; }

  /// [N, ...] to [B, L, ...], 0 at padding.
  at::Tensor spread(const at::Tensor& rows) const;
  /// [B, L, ...] to [N, ...].
  at::Tensor pack(const at::Tensor& grid) const;
  /// Packed rows with each text's in the opposite order; twice gives the same again.
  at::Tensor reversed(const at::Tensor& rows) const;

 private:
  std::int64_t texts_;
  std::int64_t longest_;
  at::Tensor offsets_;    // int32 [B + 1]
  at::Tensor positions_;  // int64 [N]
  at::Tensor opposite_;   // int64 [N]: the row that takes each one's place in `reversed`
  at::Tensor places_;     // int64 [N] in the grid as one line; undefined: the same order
  at::Tensor mask_;
};

}  // namespace diffuse
