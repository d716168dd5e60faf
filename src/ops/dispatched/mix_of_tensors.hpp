#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>

#include "diffuse/base/error.hpp"
#include "ops/rows/neighbour_mix.hpp"

namespace diffuse {

/// The arguments of the operation `diffuse::neighbour_mix`.
struct MixTensors {
  const at::Tensor& values;
  const at::Tensor& base;
  const at::Tensor& weight;
  const std::optional<at::Tensor>& keep;
  double keep_value;
  double share;
  const at::Tensor& offsets;
  const at::Tensor& of_row;
  at::IntArrayRef shifts;

  /// The pointers, whose tensors are of these types and may be on any device.
  template <class T, class A>
  rows::Mix<T, A> pointers() const {
    rows::Mix<T, A> mix{
        .rows = values.size(0),
        .dim = values.size(1),
        .texts = {offsets.const_data_ptr<std::int32_t>(), of_row.const_data_ptr<std::int32_t>()},
        .values = values.const_data_ptr<T>(),
        .base = base.const_data_ptr<A>(),
        .weight = weight.const_data_ptr<A>(),
        .by_channel = weight.dim() == 2,
        .keep = keep ? keep->const_data_ptr<A>() : nullptr,
        .keep_value = static_cast<A>(keep_value),
        .share = static_cast<A>(share)};
    mix.shifts.count = static_cast<int>(shifts.size());
    std::copy(shifts.begin(), shifts.end(), mix.shifts.at);
    return mix;
  }

  /// Calls `work(mix, A{})` with a mix of the types that the tensors have.
  template <class Work>
  void with_pointers(const Work& work) const {
    switch (values.scalar_type()) {
      case at::kDouble:
        return work(pointers<double, double>(), double{});
      case at::kFloat:
        return work(pointers<float, float>(), float{});
      case at::kBFloat16:
        return work(pointers<at::BFloat16, float>(), float{});
      case at::kHalf:
        return work(pointers<at::Half, float>(), float{});
      default:
        throw Error("neighbour_mix: values of a type that it has no kernel for.");
    }
  }
};

/// What neighbour_mix_backward fills: gradients of values, base, weight [K, D] and keep (empty
/// where that is no tensor).
struct MixGradients {
  explicit MixGradients(const MixTensors& of)
      : values(at::empty_like(of.values)),
        base(at::empty_like(of.base)),
        weight(at::empty({of.weight.size(0), of.values.size(1)}, of.base.options())),
        keep(at::empty({of.keep ? of.values.size(1) : 0}, of.base.options())) {}

  std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> take() const {
    return {values, base, weight, keep};
  }

  at::Tensor values, base, weight, keep;
};

}  // namespace diffuse
