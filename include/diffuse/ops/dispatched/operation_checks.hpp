#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <string>
#include <vector>

namespace diffuse {

/// How far one result of an operation of ours (text_rows.hpp) is from what it should be.
struct OperationCheck {
  std::string operation{};  ///< "neighbour_mix, gradient of weight"
  std::string type{};       ///< of the values: "float32"
  std::string batch{};      ///< what it was computed of: "7 texts, 176 rows of 70"
  double error = 0;         ///< largest difference, as a part of the largest element
  double allowed = 0;

  /// False for an error that is not a number, too.
  bool good() const { return error <= allowed; }
};

/// The check of `found` against `wanted`, both on the CPU and of one shape.
OperationCheck check_of(std::string operation, const at::Tensor& found, const at::Tensor& wanted,
                        double allowed);

enum class CheckExtent {
  quick,  ///< one small batch: milliseconds
  full,   ///< batches of odd sizes and one long text, in every type: a second on a CPU
};

/// Computes every operation of ours and its gradients on `device` and compares with LibTorch's own
/// operations in float64 on the CPU (ops/reference). Throws c10::Error where the device cannot run
/// one at all.
std::vector<OperationCheck> check_operations(at::Device device, CheckExtent extent);

/// What is wrong with the operations of ours on `device`, as part of a sentence: which of them
/// differs there, or that they are not there at all; empty: nothing. Found out by the quick checks,
/// the first time for each device.
const std::string& operations_problem(at::Device device);

}  // namespace diffuse
