#include "diffuse/model/fresh_tensors.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mul.h>

namespace diffuse {

FreshTensors::FreshTensors(std::optional<std::int64_t> seed) {
  if (seed) generator_ = at::detail::createCPUGenerator(static_cast<std::uint64_t>(*seed));
}

FreshTensors FreshTensors::sizes_only() {
  FreshTensors tensors;
  tensors.device_ = at::kMeta;
  return tensors;
}

at::Tensor FreshTensors::unset(at::IntArrayRef sizes) const {
  return at::empty(sizes, at::TensorOptions(device_).dtype(at::kFloat));
}

at::Tensor FreshTensors::uniform(at::IntArrayRef sizes, double bound) {
  const at::Tensor tensor = unset(sizes);
  return draws() ? tensor.uniform_(-bound, bound, generator_) : tensor;
}

at::Tensor FreshTensors::normal(at::IntArrayRef sizes, double deviation) {
  const at::Tensor tensor = unset(sizes);
  return draws() ? tensor.normal_(0.0, deviation, generator_) : tensor;
}

at::Tensor FreshTensors::full(at::IntArrayRef sizes, double value) const {
  return at::full(sizes, value, at::TensorOptions(device_).dtype(at::kFloat));
}

at::Tensor FreshTensors::diagonal(std::int64_t size, double value) const {
  return at::mul(at::eye(size, at::TensorOptions(device_).dtype(at::kFloat)), value);
}

}  // namespace diffuse
