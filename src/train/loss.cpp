#include "diffuse/train/loss.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace diffuse {

at::Tensor classification_loss(const at::Tensor& logits, const at::Tensor& labels,
                               double label_smoothing) {
  // Labels are checked when data is read, so the index that the kernel would skip never occurs.
  constexpr std::int64_t kIgnoredLabel = -100;
  return at::cross_entropy_loss(logits.to(at::kFloat), labels, /*weight=*/{}, at::Reduction::Mean,
                                kIgnoredLabel, label_smoothing);
}

}  // namespace diffuse
