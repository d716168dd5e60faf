#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

#include "diffuse/base/error.hpp"
#include "ops/rows/neighbour_mix.hpp"

namespace diffuse {

/// Calls `work(mix, A{})` with the pointers of a neighbour mix in the types of its tensors, which
/// may be on any device.
template <class Work>
void with_mix(const at::Tensor& values, const at::Tensor& base, const at::Tensor& weight,
              const at::Tensor& keep, const at::Tensor& offsets, const at::Tensor& of_row,
              at::IntArrayRef shifts, const Work& work) {
  const auto call = [&]<class T, class A>(T, A zero) {
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
    work(mix, zero);
  };
  switch (values.scalar_type()) {
    case at::kDouble:
      return call(double{}, double{});
    case at::kFloat:
      return call(float{}, float{});
    case at::kBFloat16:
      return call(at::BFloat16{}, float{});
    case at::kHalf:
      return call(at::Half{}, float{});
    default:
      throw Error("neighbour_mix: values of a type that it has no kernel for.");
  }
}

}  // namespace diffuse
