#include "text_grid.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/zeros.h>

#include "model/padded_batch.hpp"

namespace diffuse {
namespace {

std::vector<std::int64_t> with_front(std::initializer_list<std::int64_t> front,
                                     at::IntArrayRef sizes, std::size_t from) {
  std::vector<std::int64_t> all(front);
  all.insert(all.end(), sizes.begin() + static_cast<std::ptrdiff_t>(from), sizes.end());
  return all;
}

}  // namespace

TextGrid::TextGrid(const Batch& batch)
    : texts_(batch.size()), longest_(longest_text(batch)), offsets_(batch.offsets) {
  const std::int64_t count = batch.token_count();
  const at::TensorOptions options = at::TensorOptions(batch.tokens.device()).dtype(at::kLong);
  const at::Tensor offsets = batch.offsets.to(at::kLong);
  const at::Tensor begins = offsets.slice(0, 0, -1);
  const at::Tensor lengths = offsets.slice(0, 1).sub(begins);
  const at::Tensor text_of_row =
      at::repeat_interleave(at::arange(texts_, options), lengths, 0, count);
  const at::Tensor begin_of_row = begins.index_select(0, text_of_row);
  positions_ = at::arange(count, options).sub(begin_of_row);
  opposite_ = begin_of_row.add(lengths.index_select(0, text_of_row)).sub(positions_).sub(1);
  if (texts_ * longest_ == count) return;
  places_ = text_of_row.mul(longest_).add(positions_);
  mask_ = at::lt(at::arange(longest_, options).unsqueeze(0), lengths.unsqueeze(1));
}

at::Tensor TextGrid::spread(const at::Tensor& rows) const {
  const std::vector<std::int64_t> sizes = with_front({texts_, longest_}, rows.sizes(), 1);
  if (!is_padded()) return rows.reshape(sizes);
  const at::Tensor empty =
      at::zeros(with_front({texts_ * longest_}, rows.sizes(), 1), rows.options());
  return at::index_copy(empty, 0, places_, rows).view(sizes);
}

at::Tensor TextGrid::pack(const at::Tensor& grid) const {
  const at::Tensor rows = grid.reshape(with_front({texts_ * longest_}, grid.sizes(), 2));
  return is_padded() ? at::index_select(rows, 0, places_) : rows;
}

at::Tensor TextGrid::reversed(const at::Tensor& rows) const {
  return at::index_select(rows, 0, opposite_);
}

}  // namespace diffuse
