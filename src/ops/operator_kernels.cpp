#include "diffuse/ops/operator_kernels.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

constexpr Precision kCpuPrecisions[] = {Precision::fp32, Precision::bf16};

constexpr OperatorKernel kKernels[] = {
    {Kernel::fused, at::DeviceType::CPU, kCpuPrecisions},  // ops/cpu
    {Kernel::operations, at::DeviceType::CUDA, {}},        // ops/dispatched, src/cuda
    {Kernel::reference, std::nullopt, {}},                 // ops/reference
};

bool runs_on(const OperatorKernel& kernel, at::Device device) {
  return !kernel.device || *kernel.device == device.type();
}

bool computes_in(const OperatorKernel& kernel, Precision precision) {
  return kernel.precisions.empty() ||
         std::ranges::find(kernel.precisions, precision) != kernel.precisions.end();
}

}  // namespace

std::span<const OperatorKernel> operator_kernels() { return kKernels; }

const OperatorKernel& fastest_kernel(at::Device device, Precision precision) {
  return *std::ranges::find_if(kKernels, [&](const OperatorKernel& kernel) {
    return runs_on(kernel, device) && computes_in(kernel, precision);
  });
}

std::string no_fused_kernel(at::Device device, Precision precision) {
  if (fastest_kernel(device, precision).kernel == Kernel::fused) return "";
  std::vector<std::string> devices;
  for (const OperatorKernel& kernel : kKernels) {
    if (kernel.kernel != Kernel::fused) continue;
    if (runs_on(kernel, device)) {
      std::vector<std::string> names;
      for (const Precision one : kernel.precisions) names.emplace_back(enum_name(one));
      return fmt::format("the fused kernel computes in {}", join(names, " or "));
    }
    devices.push_back(at::DeviceTypeName(*kernel.device));
  }
  return fmt::format("the fused kernel is for the {}", join(devices, " and "));
}

}  // namespace diffuse
