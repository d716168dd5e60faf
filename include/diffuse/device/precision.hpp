#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// What `automatic` means on a CUDA device: a rule of sizes, not a trial, so that equal runs stay
/// equal. Products of at least kHalfPrecisionWidth channels are computed in bf16, narrower ones in
/// tf32: they take less time than reading their rows, and half precision would have to be written
/// and read besides. Before compute capability 8.0, where there is neither, fp16 and fp32.
/// `computes_bf16`: whether it has both.
Precision automatic_on_cuda(bool computes_bf16, std::int64_t width);
inline constexpr std::int64_t kHalfPrecisionWidth = 256;

/// Whether `device` multiplies bf16 and tf32: a CUDA device of compute capability 8.0 and up.
bool computes_bf16(at::Device device);

/// What `wanted` means on `device` for a model of `width` channels (0: not known): `automatic`
/// becomes automatic_on_cuda or, on the CPU, whose fp16 matrix products are five to eight times as
/// slow as its fp32 ones, fp32. Where the CPU is asked for tf32, which it does not have, logs a
/// warning, if it is to `tell`, and returns fp32.
Precision resolve_precision(Precision wanted, at::Device device, std::int64_t width,
                            bool tell = true);

/// Lets CUDA's float32 matrix products round their factors to TF32 where `precision` says so, for
/// the rest of the process; computes them in full otherwise.
void set_matrix_precision(Precision precision);

/// While it lives, matrix products on the device take their factors in bfloat16 or float16 and give
/// such results (autocast); sums, norms and losses that need float32 keep it. Nothing for fp32 and
/// tf32. Weights stay float32: autocast keeps half-precision copies, which are thrown away at the
/// end of the outermost scope, also by an exception. Only for the forward pass: backward follows
/// the types that forward chose.
class PrecisionScope {
 public:
  /// `precision` must be resolved (not `automatic`).
  PrecisionScope(Precision precision, at::Device device);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  at::DeviceType device_;
  bool active_;
  bool was_enabled_ = false;
  at::ScalarType old_type_ = at::kFloat;
};

/// While it lives, autocast is off on the device: products take the types that their factors have.
class NoAutocastScope {
 public:
  explicit NoAutocastScope(at::Device device);
  ~NoAutocastScope();
  NoAutocastScope(const NoAutocastScope&) = delete;
  NoAutocastScope& operator=(const NoAutocastScope&) = delete;

 private:
  at::DeviceType device_;
  bool was_enabled_;
};

}  // namespace diffuse
