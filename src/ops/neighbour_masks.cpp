#include "diffuse/ops/neighbour_masks.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

namespace diffuse {

NeighbourMasks::NeighbourMasks(std::span<const std::int32_t> row_offsets,
                               std::span<const std::int64_t> shifts,
                               const at::TensorOptions& options) {
  std::int64_t longest = 0;
  for (std::size_t b = 0; b + 1 < row_offsets.size(); ++b) {
    longest = std::max<std::int64_t>(longest, row_offsets[b + 1] - row_offsets[b]);
  }
  std::vector<std::int64_t> present;
  for (const std::int64_t shift : shifts) {
    const bool fresh = masks_.emplace(shift, at::Tensor()).second;
    if (fresh && std::abs(shift) < longest) present.push_back(shift);
  }
  if (present.empty()) return;

  const std::int64_t rows = row_offsets.back();
  // One buffer for all shifts: one copy to the device.
  at::Tensor buffer = at::zeros({static_cast<std::int64_t>(present.size()), rows}, at::kFloat);
  for (std::size_t i = 0; i < present.size(); ++i) {
    const std::int64_t shift = present[i];
    float* mask = buffer.data_ptr<float>() + static_cast<std::int64_t>(i) * rows;
    for (std::size_t b = 0; b + 1 < row_offsets.size(); ++b) {
      const std::int64_t begin = row_offsets[b] + std::max<std::int64_t>(0, -shift);
      const std::int64_t end = row_offsets[b + 1] - std::max<std::int64_t>(0, shift);
      if (begin < end) std::fill(mask + begin, mask + end, 1.0F);
    }
  }
  buffer = buffer.to(options);
  for (std::size_t i = 0; i < present.size(); ++i) {
    masks_[present[i]] = buffer.select(0, static_cast<std::int64_t>(i)).unsqueeze(1);
  }
}

}  // namespace diffuse
