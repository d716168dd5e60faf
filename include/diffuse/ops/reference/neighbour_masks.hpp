#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <map>
#include <span>

namespace diffuse {

/// For each shift k, which rows i of a packed batch have their neighbour i + k outside their own
/// sequence. Made once a batch and used by every step, so that no step looks at sequence borders
/// again.
class NeighbourMasks {
 public:
  /// `row_offsets` [B + 1]: sequence b is rows row_offsets[b] .. row_offsets[b + 1] - 1.
  /// `shifts`: the shifts of all steps, in any order, repeats allowed. `device`: where the rows
  /// are.
  NeighbourMasks(std::span<const std::int32_t> row_offsets, std::span<const std::int64_t> shifts,
                 at::Device device);

  /// Whether any row has a neighbour at `shift`; false where every sequence is too short for it.
  /// Throws std::out_of_range for a shift that was not given to the constructor.
  bool any(std::int64_t shift) const { return masks_.at(shift).any; }
  /// The rows without a neighbour at `shift`: int64 [M], ascending. Throws as `any` does.
  const at::Tensor& masked(std::int64_t shift) const { return masks_.at(shift).rows; }

 private:
  struct Mask {
    bool any = false;
    at::Tensor rows;
  };
  std::map<std::int64_t, Mask> masks_;
};

}  // namespace diffuse
