#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// What `wanted` means on `device`: `automatic` becomes bf16 on a CUDA device that computes in it
/// (compute capability 8.0 and up), fp16 on an older one, fp32 on the CPU, whose fp16 matrix
/// products are five to eight times as slow as its fp32 ones. Where the CPU is asked for tf32,
/// which it does not have, logs a warning, if it is to `tell`, and returns fp32.
Precision resolve_precision(Precision wanted, at::Device device, bool tell = true);

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

}  // namespace diffuse
