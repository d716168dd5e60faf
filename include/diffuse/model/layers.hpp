#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/fresh_tensors.hpp"

namespace diffuse {

/// Called with each tensor of a layer: its dotted name, the tensor itself, what it is for. A layer
/// visits its tensors in a fixed order.
using ParameterVisitor =
    std::function<void(const std::string& name, at::Tensor& tensor, ParameterRole role)>;

/// An affine map of rows: x `[N, in]` to x · weightᵀ + bias `[N, out]`.
struct Linear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]

  Linear() = default;
  /// Weight and bias uniform in ±1/sqrt(in), as PyTorch's own linear layers start.
  Linear(std::int64_t in, std::int64_t out, FreshTensors& tensors);

  at::Tensor forward(const at::Tensor& x) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

/// Independent draws of true with probability `probability`, bool, on `device`. The probability is
/// rounded to a multiple of 2^-16.
at::Tensor random_mask(at::IntArrayRef shape, double probability, at::Device device,
                       const at::Generator& generator);

/// Dropout: in training each element becomes 0 with probability `probability`, the others are
/// divided by 1 - probability; otherwise `x` itself.
at::Tensor dropout(const at::Tensor& x, double probability, const ForwardContext& context);

}  // namespace diffuse
