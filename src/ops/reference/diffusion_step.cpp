#include "diffuse/ops/reference/diffusion_step.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/mul.h>

#include "diffuse/ops/reference/neighbour_sum.hpp"

namespace diffuse {

at::Tensor diffusion_step(const at::Tensor& base, const at::Tensor& values,
                          const at::Tensor& weight, double alpha,
                          std::span<const std::int64_t> shifts, const NeighbourMasks& masks) {
  // (1 - alpha) goes into the weights, which are small, instead of into N rows.
  const at::Tensor sum = neighbour_sum(values, at::mul(weight, 1.0 - alpha), shifts, masks);
  return at::add(sum, base, alpha);
}

at::Tensor diffusion_step(const at::Tensor& base, const at::Tensor& values,
                          const at::Tensor& weight, const at::Tensor& alpha,
                          std::span<const std::int64_t> shifts, const NeighbourMasks& masks) {
  // lerp takes one type; add, above, makes a half-precision sum one with its float32 base.
  const at::Tensor sum = neighbour_sum(values, weight, shifts, masks).to(base.scalar_type());
  return at::lerp(sum, base, alpha);
}

std::vector<std::int64_t> neighbourhood_shifts(std::int64_t radius, std::int64_t dilation,
                                               bool self, bool causal) {
  std::vector<std::int64_t> shifts;
  for (std::int64_t r = -radius; r <= (causal ? 0 : radius); ++r) {
    if (r != 0 || self) shifts.push_back(r * dilation);
  }
  return shifts;
}

}  // namespace diffuse
