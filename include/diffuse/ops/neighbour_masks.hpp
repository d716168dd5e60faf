#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <cstdint>
#include <map>
#include <span>

namespace diffuse {

/// For each shift k, which rows i of a packed batch have their neighbour i + k in their own
/// sequence. Made once a batch and used by every step, so that no step looks at sequence borders
/// again.
class NeighbourMasks {
 public:
  /// `row_offsets` [B + 1]: sequence b is rows row_offsets[b] .. row_offsets[b + 1] - 1.
  /// `shifts`: the shifts of all steps, in any order, repeats allowed. `options`: device and
  /// floating dtype of the masks.
  NeighbourMasks(std::span<const std::int32_t> row_offsets, std::span<const std::int64_t> shifts,
                 const at::TensorOptions& options);

  /// Whether any row has a neighbour at `shift`; false where every sequence is too short for it.
  bool any(std::int64_t shift) const { return masks_.at(shift).defined(); }
  /// 1 where row i + shift is in i's sequence, else 0: `[N, 1]`. Undefined where `any` is false.
  /// Throws std::out_of_range for a shift that was not given to the constructor.
  const at::Tensor& at(std::int64_t shift) const { return masks_.at(shift); }

 private:
  std::map<std::int64_t, at::Tensor> masks_;
};

}  // namespace diffuse
