#include "diffuse/device/precision.hpp"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include "device/cuda_module.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"

namespace diffuse {

Precision automatic_on_cuda(bool computes_bf16, std::int64_t width) {
  const bool narrow = width > 0 && width < kHalfPrecisionWidth;
  if (computes_bf16) return narrow ? Precision::tf32 : Precision::bf16;
  return narrow ? Precision::fp32 : Precision::fp16;
}

bool computes_bf16(at::Device device) {
  if (!device.is_cuda()) return false;
  const cuda::Module& module = cuda::open_module();
  return module.table != nullptr && module.table->computes_bf16(device.index());
}

Precision resolve_precision(Precision wanted, at::Device device, std::int64_t width, bool tell) {
  if (device.is_cuda())
    return wanted == Precision::automatic ? automatic_on_cuda(computes_bf16(device), width)
                                          : wanted;
  if (wanted == Precision::tf32) {
    if (tell) log::warning("precision tf32: the CPU has no such format; computing in fp32");
    return Precision::fp32;
  }
  return wanted == Precision::automatic ? Precision::fp32 : wanted;
}

void set_matrix_precision(Precision precision) {
  at::globalContext().setFloat32MatmulPrecision(precision == Precision::tf32 ? "high" : "highest");
}

PrecisionScope::PrecisionScope(Precision precision, at::Device device)
    : device_(device.type()),
      active_(precision == Precision::bf16 || precision == Precision::fp16) {
  if (precision == Precision::automatic) throw Error("A precision that was not resolved.");
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  old_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::increment_nesting();
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_,
                                   precision == Precision::bf16 ? at::kBFloat16 : at::kHalf);
}

PrecisionScope::~PrecisionScope() {
  if (!active_) return;
  at::autocast::set_autocast_dtype(device_, old_type_);
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  // Copies of the weights that outlived the scope would be stale after the next update.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

NoAutocastScope::NoAutocastScope(at::Device device)
    : device_(device.type()), was_enabled_(at::autocast::is_autocast_enabled(device_)) {
  if (was_enabled_) at::autocast::set_autocast_enabled(device_, false);
}

NoAutocastScope::~NoAutocastScope() {
  if (was_enabled_) at::autocast::set_autocast_enabled(device_, true);
}

}  // namespace diffuse
