#pragma once

#include <c10/core/Device.h>

#include <optional>
#include <span>
#include <string>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// Code that computes the operator (diffusion_spec.hpp), and where it can.
struct OperatorKernel {
  Kernel kernel;                          ///< all but automatic
  std::optional<at::DeviceType> device;   ///< none: any
  std::span<const Precision> precisions;  ///< empty: any
};

/// Every kernel that there is and where it is the one to take, the fastest first: one line for each
/// of ops/cpu, ops/dispatched and ops/reference, which runs whatever the others don't. All of them
/// take every DiffusionSpec.
std::span<const OperatorKernel> operator_kernels();

/// The first that runs on `device` in `precision` (resolved).
const OperatorKernel& fastest_kernel(at::Device device, Precision precision);

/// Why none that is fused runs there, as part of a sentence; empty where one does.
std::string no_fused_kernel(at::Device device, Precision precision);

}  // namespace diffuse
