#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace diffuse::cpu {

/// The operations of diffuse/ops/dispatched/row_adamw.hpp on the CPU.

/// run_sums.
at::Tensor sum_runs(const at::Tensor& from, const at::Tensor& ids, const at::Tensor& order,
                    double scale);

/// Brings the rows of the runs of `ids`, or all, to the clock's update (`present`) or to that
/// before.
void follow_rows(const at::Tensor& values, const at::Tensor& moment1, const at::Tensor& moment2,
                 const at::Tensor& last, const at::Tensor& clock,
                 const std::optional<at::Tensor>& ids, bool present, at::ArrayRef<double> rule);

/// The clock's update of the rows of the runs, `gradient` [N, D] at their first places.
void update_rows(const at::Tensor& values, const at::Tensor& moment1, const at::Tensor& moment2,
                 const at::Tensor& last, const at::Tensor& clock, const at::Tensor& ids,
                 const at::Tensor& gradient, const std::optional<at::Tensor>& divisor,
                 at::ArrayRef<double> rule);

}  // namespace diffuse::cpu
