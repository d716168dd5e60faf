#pragma once

#include <ATen/core/Tensor.h>

namespace diffuse {

/// What the losses of a batch's texts are of.
struct LossTargets {
  at::Tensor labels;           ///< int64 [B]
  at::Tensor distributions{};  ///< float32 [B, C], in the labels' place; undefined: none
  at::Tensor weights{};        ///< float32 [B] of each text's loss; undefined: all 1
  bool several = false;        ///< the distributions are targets of each class by itself
  double label_smoothing = 0;  ///< of labels
};

struct TextLossSum {
  at::Tensor loss;     ///< a scalar in the logits' type, whose gradient is the logits'
  at::Tensor correct;  ///< int64, a scalar: texts that are answered right
};

/// The sum over texts of weight times cross-entropy (of several labels: the sum of each class's
/// binary one), and how many texts are right, as train/loss.hpp has them, in one operation
/// (text_rows.hpp says what those have in common). `logits` [B, C], float32 or float64, C at least
/// 1. Throws Error where the targets do not fit.
TextLossSum text_loss_sum(const at::Tensor& logits, const LossTargets& targets);

}  // namespace diffuse
