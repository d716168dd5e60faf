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
/// batch's distributions where it has any, else with its smoothed labels. 0 where all is 0.
at::Tensor batch_loss(const at::Tensor& logits, const Batch& batch, double label_smoothing,
                      double total_weight);

}  // namespace diffuse
