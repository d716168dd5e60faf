#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <optional>

namespace diffuse {

/// Where a new model gets its tensors from: float32, their first values drawn in turn from one
/// generator. The order of a model's requests is the order of the draws.
class FreshTensors {
 public:
  /// On the CPU. `seed` decides every value; without one all that would be drawn is left as the
  /// memory was, for weights that will be loaded.
  explicit FreshTensors(std::optional<std::int64_t> seed);
  /// Without memory or values, on the device `meta`: what a model is made of, to be counted.
  static FreshTensors sizes_only();

  at::Tensor uniform(at::IntArrayRef sizes, double bound);     ///< of -bound .. bound
  at::Tensor normal(at::IntArrayRef sizes, double deviation);  ///< around 0
  at::Tensor full(at::IntArrayRef sizes, double value) const;  ///< the same everywhere
  at::Tensor unset(at::IntArrayRef sizes) const;               ///< for the caller to fill
  at::Tensor diagonal(std::int64_t size, double value) const;  ///< [size, size], else 0

  /// Whether values are drawn: there is a seed, and memory for them.
  bool draws() const { return generator_.defined(); }
  /// Defined where draws().
  at::Generator& generator() { return generator_; }
  at::Device device() const { return device_; }

 private:
  FreshTensors() = default;

  at::Device device_ = at::kCPU;
  at::Generator generator_;
};

}  // namespace diffuse
