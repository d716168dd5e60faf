#pragma once

#include <ATen/core/Tensor.h>

namespace diffuse {

/// Mean over the examples of the cross-entropy between softmax(`logits`) ([B, C], any float type,
/// computed in float32) and `labels` (int64 [B]) smoothed to
/// (1 - s) * one_hot + s / C with s = `label_smoothing` (Szegedy et al., CVPR 2016). A float32
/// scalar, natural logarithm.
at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& labels,
                               double label_smoothing);

}  // namespace diffuse
