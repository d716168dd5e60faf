#include "diffuse/model/kernel_choice.hpp"

#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/operator_kernels.hpp"

namespace diffuse {

std::string fused_kernel_problem(ModelType type, at::Device device, Precision precision) {
  if (type != ModelType::diffusion) return "only a diffusion model has a fused kernel";
  return no_fused_kernel(device, precision);
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
