#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "diffuse/model/classifier.hpp"
#include "diffuse/ops/dispatched/row_adamw.hpp"
#include "diffuse/train/adamw.hpp"

namespace diffuse {

/// AdamW for the embeddings of a classifier whose kernel says which rows a batch reads
/// (EmbeddingAccess): the rows of a batch alone, the others when they are needed, exactly as
/// updates of all rows would have them. The moments are those of an AdamW that gets no gradient of
/// the embeddings, so a checkpoint is one of dense updates.
class TouchedRows {
 public:
  /// The embeddings of `parameters`, in their order. They share their memory, as the moments in
  /// `optimizer` do.
  TouchedRows(const std::vector<NamedParameter>& parameters, const AdamW& optimizer,
              const AdamWOptions& options);

  /// Notes the rate of the next update, which is one of the functions below or dense_update().
  void begin_update(double learning_rate);
  const AdamWClock& clock() const { return clock_; }

  /// For forward passes of that update. `clock`: clock() on the device, where a recording finds it
  /// again.
  EmbeddingAccess access(const at::Tensor& clock) const;
  /// After the backward passes: the gradient of each embedding, its rows as run_sums has them.
  static std::vector<at::Tensor> gradients(const EmbeddingAccess& access);
  /// `divisor`: of the gradients; undefined: 1.
  void step(const EmbeddingAccess& access, const std::vector<at::Tensor>& gradients,
            const at::Tensor& divisor, const at::Tensor& clock) const;
  /// Of the update in place of step(): the optimizer makes it of all rows, which were settled.
  void dense_update();

  /// Brings all rows to the last update: before anybody reads the embeddings or moments but
  /// access().
  void settle();
  /// The same where the clock would forget an update that some rows have not made.
  void settle_if_due() {
    if (clock_.update - settled_ >= AdamWClock::kRemembered - 1) settle();
  }
  /// Takes up what was read into the optimizer's state.
  void resume();

 private:
  struct Table {
    RowAdamWState state;
    RowAdamWRule rule;
  };
  std::vector<Table> tables_;
  at::Tensor updates_;  // of the optimizer's embeddings, float32
  AdamWClock clock_;
  std::int32_t settled_ = 0;  // the update that all rows have made
};

}  // namespace diffuse
