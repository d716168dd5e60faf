#include "diffuse/model/kernel_choice.hpp"

#include <fmt/core.h>

#include "diffuse/base/error.hpp"

namespace diffuse {

std::string fused_kernel_problem(ModelType type, at::Device device, Precision precision) {
  if (type != ModelType::diffusion) return "only a diffusion model has a fused kernel";
  if (!device.is_cpu()) return "the fused kernel is for the CPU";
  const bool computes = precision == Precision::fp32 || precision == Precision::bf16;
  return computes ? "" : "the fused kernel computes in fp32 or bf16";
}

bool runs_fused(Kernel kernel, ModelType type, at::Device device, Precision precision) {
  if (kernel == Kernel::reference) return false;
  const std::string problem = fused_kernel_problem(type, device, precision);
  if (problem.empty()) return true;
  if (kernel == Kernel::fused)
    throw ConfigError(
        fmt::format("train.kernel = fused cannot be had here: {}. Set it to 'auto'.", problem));
  return false;
}

}  // namespace diffuse
