#include "diffuse/ops/reference/neighbour_masks.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace diffuse {

NeighbourMasks::NeighbourMasks(std::span<const std::int32_t> row_offsets,
                               std::span<const std::int64_t> shifts, at::Device device) {
  std::vector<std::int64_t> masked;  // of all shifts, one after the other
  std::vector<std::pair<Mask*, std::int64_t>> sizes;
  const auto append = [&masked](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) masked.push_back(row);
  };
  for (const std::int64_t shift : shifts) {
    const auto [entry, fresh] = masks_.try_emplace(shift);
    if (!fresh) continue;
    const std::size_t before = masked.size();
    for (std::size_t b = 0; b + 1 < row_offsets.size(); ++b) {
      const std::int64_t begin = row_offsets[b];
      const std::int64_t end = row_offsets[b + 1];
      if (std::abs(shift) < end - begin) entry->second.any = true;
      append(begin, std::min(begin - std::min<std::int64_t>(shift, 0), end));
      append(std::max(end - std::max<std::int64_t>(shift, 0), begin), end);
    }
    sizes.emplace_back(&entry->second, static_cast<std::int64_t>(masked.size() - before));
  }
  // One tensor for all shifts: one copy to the device.
  at::Tensor rows = at::empty({static_cast<std::int64_t>(masked.size())}, at::kLong);
  std::copy(masked.begin(), masked.end(), rows.data_ptr<std::int64_t>());
  rows = rows.to(device);
  std::int64_t begin = 0;
  for (const auto& [mask, size] : sizes) {
    mask->rows = rows.narrow(0, begin, size);
    begin += size;
  }
}

}  // namespace diffuse
