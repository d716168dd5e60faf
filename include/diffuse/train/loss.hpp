#pragma once

#include <ATen/core/Tensor.h>

#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// Mean over the examples of the cross-entropy between softmax(`logits`) ([B, C], any float type,
/// computed in float32) and `labels` (int64 [B]) smoothed to
/// (1 - s) * one_hot + s / C with s = `label_smoothing` (Szegedy et al., CVPR 2016). A float32
/// scalar, natural logarithm.
at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& labels,
                               double label_smoothing);

/// What `batch` adds to the loss of an update whose rows' weights add up to `total_weight`: the sum
/// over its texts of weight times cross-entropy, divided by that. The cross-entropy is with the
/// batch's distributions where it has any, else with its smoothed labels; of texts of several
/// labels it is the sum over the classes of each one's binary cross-entropy, whose gradient by a
/// logit is probability − target, as that of softmax is. 0 where all is 0.
at::Tensor batch_loss(const at::Tensor& logits, const Batch& batch, double label_smoothing,
                      double total_weight);

/// Texts of `batch` whose largest logit is the label's; of several labels, all of whose labels are
/// on their side of a probability of 1/2. An int64 scalar.
at::Tensor count_correct(const at::Tensor& logits, const Batch& batch);

}  // namespace diffuse
