#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

#include "diffuse/base/error.hpp"
#include "ops/rows/neighbour_mix.hpp"

namespace diffuse {

/// The pointers of a neighbour mix, whose tensors are of these types and may be on any device.
template <class T, class A>
rows::Mix<T, A> mix_of(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
                       const at::Tensor& keep, const at::Tensor& offsets, const at::Tensor& of_row,
                       at::IntArrayRef shifts) {
  rows::Mix<T, A> mix{
      .rows = values.size(0),
      .dim = values.size(1),
      .texts = {offsets.const_data_ptr<std::int32_t>(), of_row.const_data_ptr<std::int32_t>()},
      .values = values.const_data_ptr<T>(),
      .base = base.const_data_ptr<A>(),
      .weight = weight.const_data_ptr<A>(),
      .keep = keep.const_data_ptr<A>()};
  mix.shifts.count = static_cast<int>(shifts.size());
  std::copy(shifts.begin(), shifts.end(), mix.shifts.at);
  return mix;
}

/// Calls `work(mix, A{})` with a mix of the types that the tensors have.
template <class Work>
void with_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
              const at::Tensor& keep, const at::Tensor& offsets, const at::Tensor& of_row,
              at::IntArrayRef shifts, const Work& work) {
  switch (values.scalar_type()) {
    case at::kDouble:
      return work(mix_of<double, double>(values, base, weight, keep, offsets, of_row, shifts),
                  double{});
    case at::kFloat:
      return work(mix_of<float, float>(values, base, weight, keep, offsets, of_row, shifts),
                  float{});
    case at::kBFloat16:
      return work(mix_of<at::BFloat16, float>(values, base, weight, keep, offsets, of_row, shifts),
                  float{});
    case at::kHalf:
      return work(mix_of<at::Half, float>(values, base, weight, keep, offsets, of_row, shifts),
                  float{});
    default:
      throw Error("neighbour_mix: values of a type that it has no kernel for.");
  }
}

}  // namespace diffuse
