#pragma once

#include <ATen/core/Tensor.h>
#include <fmt/core.h>

#include "diffuse/base/error.hpp"

namespace diffuse {

/// Calls `work(A{})` with the type of `tensor`, one that sums are of: float64 or float32.
template <class Work>
void with_sums(const at::Tensor& tensor, const Work& work) {
  switch (tensor.scalar_type()) {
    case at::kDouble:
      return work(double{});
    case at::kFloat:
      return work(float{});
    default:
      throw Error(fmt::format("An operation of diffuse got {}; expected float32 or float64.",
                              c10::toString(tensor.scalar_type())));
  }
}

/// The same with any floating type.
template <class Work>
void with_elements(const at::Tensor& tensor, const Work& work) {
  switch (tensor.scalar_type()) {
    case at::kBFloat16:
      return work(at::BFloat16{});
    case at::kHalf:
      return work(at::Half{});
    default:
      return with_sums(tensor, work);
  }
}

/// Calls `work(T{}, A{})` with the type of elements, any floating one, and that of sums of such.
template <class Work>
void with_element_and_sum(at::ScalarType type, const Work& work) {
  switch (type) {
    case at::kDouble:
      return work(double{}, double{});
    case at::kFloat:
      return work(float{}, float{});
    case at::kBFloat16:
      return work(at::BFloat16{}, float{});
    case at::kHalf:
      return work(at::Half{}, float{});
    default:
      throw Error(
          fmt::format("An operation of diffuse got {}; expected float16, bfloat16, float32 or "
                      "float64.",
                      c10::toString(type)));
  }
}

}  // namespace diffuse
