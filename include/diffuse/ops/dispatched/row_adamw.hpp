#pragma once

#include <ATen/core/Tensor.h>

#include "diffuse/ops/adamw_clock.hpp"

namespace diffuse {

/// AdamW for the rows of a table that batches read, as operations that LibTorch's dispatcher knows
/// (text_rows.hpp says what they have in common). A row makes the updates that it was away for, in
/// which its gradient was zero, when it is read next, one after the other: so its numbers are those
/// of dense updates to the bit, and the table's other rows are not touched.

/// int32 ids [N], ascending, and int64 [N], the place of each among those they were sorted from.
/// Ids that are equal are a *run*; those of negative ones belong to no row.
struct SortedIds {
  at::Tensor ids;
  at::Tensor order;
};
/// Equal ids stay in their order.
SortedIds sort_ids(const at::Tensor& ids);

/// `scale` times the sum of the rows of `rows` [N, D] of each run, in the row of the run's first
/// place; all others are zero, those of negative ids too. The order of additions is that of
/// initial_state's gradients.
at::Tensor run_sums(const at::Tensor& rows, const SortedIds& ids, double scale);

/// A table, its moments, each float32 [V, D], and int32 [V], the last update that each row has
/// made.
struct RowAdamWState {
  at::Tensor values;
  at::Tensor moment1;
  at::Tensor moment2;
  at::Tensor last_update;
};

struct RowAdamWRule {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< decoupled
  double lr_factor = 1;     ///< of the clock's learning rates
};

/// The clock in the memory of `device`: int32 words. Nothing waits for the copy.
at::Tensor clock_on(const AdamWClock& clock, at::Device device);

/// Brings the rows of `ids` to the update before the clock's. `clock`: an AdamWClock in the state's
/// memory.
void follow_updates(const RowAdamWState& state, const RowAdamWRule& rule, const at::Tensor& clock,
                    const SortedIds& ids);
/// Brings all rows to the clock's update.
void follow_all_updates(const RowAdamWState& state, const RowAdamWRule& rule,
                        const at::Tensor& clock);
/// The clock's update of rows that follow_updates was called with, by run_sums `gradient`, divided
/// by `divisor` (a float32 number; undefined: 1).
void update_rows(const RowAdamWState& state, const RowAdamWRule& rule, const at::Tensor& clock,
                 const SortedIds& ids, const at::Tensor& gradient, const at::Tensor& divisor);

}  // namespace diffuse
