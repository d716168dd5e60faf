#include "diffuse/model/layers.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/mul.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "diffuse/base/error.hpp"

namespace diffuse {

Linear::Linear(std::int64_t in, std::int64_t out, FreshTensors& tensors) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  weight = tensors.uniform({out, in}, bound);
  bias = tensors.uniform({out}, bound);
}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight, bias); }

void Linear::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".weight", weight, ParameterRole::matrix);
  visitor(prefix + ".bias", bias, ParameterRole::vector);
}

at::Tensor random_mask(at::IntArrayRef shape, double probability, at::Device device,
                       const at::Generator& generator) {
  if (!generator.defined()) {
    throw Error("The model draws random numbers here, but ForwardContext has no generator.");
  }
  // 64 random bits make four elements: a third of the time of one uniform number for each element,
  // and a tenth of bernoulli_'s, which draws a double.
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  at::Tensor bits = at::empty({(count + 3) / 4}, at::TensorOptions(device).dtype(at::kLong));
  bits.random_(std::numeric_limits<std::int64_t>::min(), std::nullopt, generator);
  const double threshold = std::min(std::round(probability * 65536.0), 65535.0) - 32768.0;
  return at::lt(bits.view(at::kShort), static_cast<std::int32_t>(threshold))
      .narrow(0, 0, count)
      .view(shape);
}

at::Tensor dropout(const at::Tensor& x, double probability, const ForwardContext& context) {
  if (!context.training || probability == 0.0) return x;
  const at::Tensor kept = random_mask(x.sizes(), 1.0 - probability, x.device(), context.generator);
  // Not into the mask, whose half precision would round the factor before it is used; nor by mul_,
  // which rounds it likewise.
  return at::mul(x, kept.to(x.scalar_type())).mul(1.0 / (1.0 - probability));
}

}  // namespace diffuse
