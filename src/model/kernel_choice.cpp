#include "diffuse/model/kernel_choice.hpp"

#include <fmt/core.h>

#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/ops/dispatched/operation_checks.hpp"
#include "diffuse/ops/operator_kernels.hpp"

namespace diffuse {
namespace {

std::string operations_kernel_problem(ModelType type) {
  return type == ModelType::diffusion ? "" : "only a diffusion model has operations of its own";
}

/// `kernel`, which is asked for by name.
Kernel without(const std::string& problem, Kernel kernel) {
  if (problem.empty()) return kernel;
  throw ConfigError(fmt::format("train.kernel = {} cannot be had here: {}. Set it to 'auto'.",
                                enum_name(kernel), problem));
}

bool operations_are_right(at::Device device) {
  const std::string& problem = operations_problem(device);
  if (!problem.empty())
    log::warning_once(
        "operations on " + device.str(),
        fmt::format("{0}: this program's own operations do not work there, LibTorch's take their "
                    "place, which are slower (a training asks for those that add in one order): "
                    "{1}. `diffuse selftest --device {0}` tells more.",
                    device.str(), problem));
  return problem.empty();
}

}  // namespace

std::string fused_kernel_problem(ModelType type, at::Device device, Precision precision) {
  if (type != ModelType::diffusion) return "only a diffusion model has a fused kernel";
  return no_fused_kernel(device, precision);
}

Kernel chosen_kernel(Kernel asked, ModelType type, at::Device device, Precision precision) {
  switch (asked) {
    case Kernel::fused:
      return without(fused_kernel_problem(type, device, precision), asked);
    case Kernel::operations:
      return without(operations_kernel_problem(type), asked);
    case Kernel::reference:
      return asked;
    case Kernel::automatic:
      break;
  }
  if (type != ModelType::diffusion) return Kernel::reference;
  const Kernel fastest = fastest_kernel(device, precision).kernel;
  return fastest != Kernel::operations || operations_are_right(device) ? fastest
                                                                       : Kernel::reference;
}

}  // namespace diffuse
