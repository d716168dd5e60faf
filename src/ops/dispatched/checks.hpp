#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/ops/dispatched/operation_checks.hpp"
#include "diffuse/ops/dispatched/text_rows.hpp"

namespace diffuse {

/// A batch, and the neighbours that are mixed.
struct CheckedBatch {
  std::vector<std::int32_t> offsets;
  std::int64_t dim;
  std::vector<std::int64_t> shifts;

  std::int64_t rows() const { return offsets.back(); }
  TextRows texts(at::Device device) const;
};

/// What an operation gives, and the gradients of its leaves.
struct CheckedResults {
  at::Tensor value;
  std::vector<at::Tensor> gradients;
};

/// Numbers of N(0, 1), float64 on the CPU.
at::Tensor random_numbers(at::IntArrayRef shape, std::uint64_t seed);

/// Gathers checks of what a device computes.
class Checks {
 public:
  using Compute = std::function<at::Tensor(const std::vector<at::Tensor>& leaves)>;

  explicit Checks(at::Device device) : device_(device) {}

  at::Device device() const { return device_; }

  /// Compares `own` on the device of leaves with the numbers of `given` with `exact` on the CPU of
  /// the same numbers in float64, and their gradients for a random one of the result, rounded to
  /// `type`, in which the operation was asked for.
  void compare(const std::string& operation, const std::vector<const char*>& leaves,
               const CheckedBatch& batch, at::ScalarType type, const std::vector<at::Tensor>& given,
               const Compute& own, const Compute& exact);

  /// Compares `found` on the device with `wanted` in float64 on the CPU.
  void add(const std::string& what, const at::Tensor& found, const at::Tensor& wanted,
           const CheckedBatch& batch, at::ScalarType type);

  std::vector<OperationCheck> take() { return std::move(checks_); }

 private:
  at::Device device_;
  std::vector<OperationCheck> checks_;
};

/// The initial state, its dropout and its tables' gradients (initial_state.hpp).
void check_initial_state(const CheckedBatch& batch, at::ScalarType type, Checks& checks);
/// The norm of rows and its gradients (row_norm.hpp), to rows of `type`.
void check_row_norm(const CheckedBatch& batch, at::ScalarType type, Checks& checks);
/// Every activation, plain and gated (bias_activation.hpp).
void check_activations(const CheckedBatch& batch, at::ScalarType type, Checks& checks);
/// Some updates of a table by the words of the batch (row_adamw.hpp).
void check_row_adamw(const CheckedBatch& batch, Checks& checks);
/// The losses of texts (text_loss.hpp), of as many texts as the batch has and of some classes.
void check_text_loss(const CheckedBatch& batch, at::ScalarType type, Checks& checks);

}  // namespace diffuse
