#include "diffuse/train/loss.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace diffuse {

namespace {

// Labels are checked when data is read, so the index that the kernel would skip never occurs.
constexpr std::int64_t kIgnoredLabel = -100;

}  // namespace

at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& labels,
                               double label_smoothing) {
  return at::cross_entropy_loss(logits.to(at::kFloat), labels, /*weight=*/{}, at::Reduction::Mean,
                                kIgnoredLabel, label_smoothing);
}

at::Tensor batch_loss(const at::Tensor& logits, const Batch& batch, double label_smoothing,
                      double total_weight) {
  const double share = total_weight > 0 ? 1 / total_weight : 0;
  if (!batch.weights.defined() && !batch.distributions.defined())
    return classification_loss(logits, batch.labels, label_smoothing)
        .mul(static_cast<double>(batch.size()) * share);
  const bool soft = batch.distributions.defined();
  at::Tensor losses =
      batch.several ? at::binary_cross_entropy_with_logits(
                          logits.to(at::kFloat), batch.distributions, {}, {}, at::Reduction::None)
                          .sum(-1)
                    : at::cross_entropy_loss(
                          logits.to(at::kFloat), soft ? batch.distributions : batch.labels, {},
                          at::Reduction::None, kIgnoredLabel, soft ? 0 : label_smoothing);
  if (batch.weights.defined()) losses = losses.mul(batch.weights);
  return losses.sum().mul(share);
}

at::Tensor count_correct(const at::Tensor& logits, const Batch& batch) {
  if (!batch.several) return logits.argmax(-1).eq(batch.labels).sum();
  return logits.gt(0).eq(batch.distributions.gt(0.5)).all(-1).sum();
}

}  // namespace diffuse
