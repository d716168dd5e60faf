#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/ops/row_update.hpp"
#include "diffuse/train/adamw.hpp"
#include "diffuse/train/tail_steps.hpp"

namespace diffuse {

/// The optimizer's part of `config`.
AdamWOptions adamw_options(const TrainConfig& config);
/// What `train.embedding_lr_factor` stands for.
double embedding_lr_factor(const TrainConfig& config);

/// Whether updates move the rows of a batch alone: where that is asked for and `kernel` says which
/// they are. The fused one, if RowAdamW can follow the betas; operations, if an update is of one
/// batch and its gradients have no loss scale.
bool updates_touched_rows(const TrainConfig& config, Kernel kernel, Precision precision);

/// AdamW for a table of rows of which an update touches few, for the fused kernel: a row is worked
/// on when it is needed, and what it missed is made up for in closed form. A row whose gradients
/// were zero for k updates has moments m · beta1^k and v · beta2^k, and moved by the sum over them
/// of rate · m · beta1^j / sqrt(v · beta2^j), a geometric series. So this is AdamW but for rounding
/// and:
///  - epsilon beside sqrt(v) does not grow in weight while v decays;
///  - weight decay of those updates comes before all of the movement;
///  - the average takes a row's movement in them for made in the first.
class RowAdamW {
 public:
  /// `parameter`: float32 `[V, D]` on the CPU, changed in place. `average_decay`: of the average of
  /// the weights, 0 for none. The weight decay and the factor of the learning rate are the
  /// embedding's.
  RowAdamW(const NamedParameter& parameter, const AdamWOptions& options, double average_decay);

  /// Whether the series converges fast enough to be followed: beta1 well below sqrt(beta2).
  static bool can_follow(const AdamWOptions& options);

  /// Brings the rows `ids`, each named once between two updates, to where the updates so far have
  /// them: before a forward pass reads them.
  void catch_up(std::span<const std::int32_t> ids, WorkerPool& workers);
  /// Update number `update` (1-based, one after the other) of rows that were caught up. `divisor`:
  /// of the gradient, by clipping.
  void step(const RowGradient& gradient, std::int64_t update, double learning_rate, double divisor);

  const std::string& name() const { return name_; }
  const at::Tensor& table() const { return table_; }
  /// Writes the averages of rows `begin` to `end` - 1, or the rows where there is no average, as
  /// the updates so far have them, to `to`, which may be their own place in the table: whoever
  /// names that puts back what was there.
  void settle(std::int64_t begin, std::int64_t end, float* to) const;

  /// `exp_avg.<name>`, `exp_avg_sq.<name>`, `last_update.<name>` (int32 [V], 0: never) and
  /// `average.<name>`, each row's as of its last update and shared with this object; and
  /// `tails.<name>` and `decay.<name>` (float64), copies.
  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
  NamedTensors state() const;
  /// state() with room for that of `update` updates, to be read into; then resume takes it up.
  /// That throws CheckpointError for last updates that cannot be.
  NamedTensors state_of(std::int64_t update) const;
  void resume(std::int64_t update, const NamedTensors& state);

  /// Brings every row, its moments and its average to the last update; no update may follow.
  void finish();
  const at::Tensor& moment1() const { return moment1_; }
  const at::Tensor& moment2() const { return moment2_; }
  const at::Tensor& average() const { return average_; }  ///< undefined without one

 private:
  /// beta^k, from a table for the usual k.
  class Powers {
   public:
    explicit Powers(double base);
    double of(std::int64_t exponent) const;

   private:
    double base_;
    std::vector<double> values_;
  };

  void follow_row(std::int64_t id, float* to) const;
  void note_updates(std::int64_t update);
  RowTail missed(std::int64_t last) const;
  double kept_average(std::int64_t from, std::int64_t to) const;

  std::string name_;
  at::Tensor table_;
  AdamWOptions options_;
  double lr_factor_;
  double average_decay_;
  at::Tensor moment1_;
  at::Tensor moment2_;
  at::Tensor average_;  // undefined: none
  Powers powers1_;
  Powers powers2_;
  at::Tensor last_update_;  // int32 [V]
  TailSteps tails_;
  std::int64_t update_ = 0;
  std::vector<double> log_shrunk_;  // [u]: log of what weight decay of updates 1 … u leaves
  std::vector<double> log_kept_;    // [u]: log of what updates 1 … u leave of the average
};

}  // namespace diffuse
