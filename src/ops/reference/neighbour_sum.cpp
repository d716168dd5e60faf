#include "diffuse/ops/reference/neighbour_sum.hpp"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_fill.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/roll.h>
#include <fmt/core.h>

#include <vector>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

void check_shapes(const at::Tensor& values, const at::Tensor& weight, std::size_t shift_count) {
  const std::int64_t count = static_cast<std::int64_t>(shift_count);
  bool fits = values.dim() == 2 && count > 0 && weight.dim() >= 1 && weight.dim() <= 3 &&
              weight.size(0) == count;
  for (std::int64_t d = 1; fits && d < weight.dim(); ++d) fits = weight.size(d) == values.size(1);
  if (!fits) {
    throw Error(fmt::format(
        "neighbour_sum: values must be [N, D] and weight [{0}], [{0}, D] or [{0}, D, D] for {0} "
        "shifts, but they have {1} and {2} dimensions, or other sizes.",
        count, values.dim(), weight.dim()));
  }
}

/// The indices of the shifts that some sequence reaches; the first where there is none, so that the
/// sum still hangs on its inputs: it is zero then, and so are the gradients.
std::vector<std::size_t> reached(std::span<const std::int64_t> shifts,
                                 const NeighbourMasks& masks) {
  std::vector<std::size_t> indices;
  for (std::size_t n = 0; n < shifts.size(); ++n) {
    if (masks.any(shifts[n])) indices.push_back(n);
  }
  if (indices.empty()) indices.push_back(0);
  return indices;
}

/// One matrix product for all shifts: the shifted rows stand side by side, as do the matrices.
at::Tensor sum_by_matrices(const at::Tensor& values, const at::Tensor& weight,
                           std::span<const std::int64_t> shifts, const NeighbourMasks& masks) {
  std::vector<at::Tensor> rows;
  std::vector<at::Tensor> matrices;
  for (const std::size_t n : reached(shifts, masks)) {
    rows.push_back(shift_rows(values, shifts[n], masks));
    matrices.push_back(weight.select(0, static_cast<std::int64_t>(n)));
  }
  return at::linear(at::cat(rows, 1), at::cat(matrices, 1));
}

at::Tensor sum_by_factors(const at::Tensor& values, const at::Tensor& factors,
                          std::span<const std::int64_t> shifts, const NeighbourMasks& masks) {
  // float32 factors would bring half-precision rows back to float32.
  const at::Tensor weight = factors.to(values.scalar_type());
  at::Tensor sum;
  for (const std::size_t n : reached(shifts, masks)) {
    const at::Tensor factor = weight.select(0, static_cast<std::int64_t>(n));
    const at::Tensor rows = shift_rows(values, shifts[n], masks);
    sum = sum.defined() ? at::addcmul(sum, rows, factor) : at::mul(rows, factor);
  }
  return sum;
}

}  // namespace

at::Tensor shift_rows(const at::Tensor& rows, std::int64_t shift, const NeighbourMasks& masks) {
  if (shift == 0) return rows;
  // What the roll carries round the end is masked like any other row of another sequence. Rows are
  // overwritten and not multiplied by 0: an infinity in one sequence would be a NaN in the next,
  // and so would its gradient on the way back.
  return at::roll(rows, {-shift}, {0}).index_fill_(0, masks.masked(shift), 0);
}

at::Tensor neighbour_sum(const at::Tensor& values, const at::Tensor& weight,
                         std::span<const std::int64_t> shifts, const NeighbourMasks& masks) {
  check_shapes(values, weight, shifts.size());
  return weight.dim() == 3 ? sum_by_matrices(values, weight, shifts, masks)
                           : sum_by_factors(values, weight, shifts, masks);
}

}  // namespace diffuse
