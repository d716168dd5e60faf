#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>

#include "checks.hpp"
#include "diffuse/ops/dispatched/text_loss.hpp"

namespace diffuse {
namespace {

using Leaves = std::vector<at::Tensor>;

/// LibTorch's, of targets in float64.
at::Tensor exact_loss(const at::Tensor& logits, const LossTargets& targets) {
  at::Tensor losses;
  if (targets.several)
    losses = at::binary_cross_entropy_with_logits(logits, targets.distributions.to(at::kDouble), {},
                                                  {}, at::Reduction::None)
                 .sum(-1);
  else if (targets.distributions.defined())
    losses = at::cross_entropy_loss(logits, targets.distributions.to(at::kDouble), {},
                                    at::Reduction::None);
  else
    losses = at::cross_entropy_loss(logits, targets.labels, {}, at::Reduction::None, -100,
                                    targets.label_smoothing);
  return losses.mul(targets.weights.to(at::kDouble)).sum();
}

LossTargets on_device(LossTargets targets, at::Device device) {
  targets.labels = targets.labels.to(device);
  targets.weights = targets.weights.to(device);
  if (targets.distributions.defined()) targets.distributions = targets.distributions.to(device);
  return targets;
}

}  // namespace

void check_text_loss(const CheckedBatch& batch, at::ScalarType type, Checks& checks) {
  const auto texts = static_cast<std::int64_t>(batch.offsets.size()) - 1;
  const std::int64_t classes = batch.dim;  // fewer than lanes, and more
  const auto numbers = [&](std::uint64_t seed) {
    return random_numbers({texts, classes}, seed).mul(3);
  };
  LossTargets targets{.labels = at::randint(classes, {texts}, at::detail::createCPUGenerator(21),
                                            at::TensorOptions(at::kLong)),
                      .weights = random_numbers({texts}, 22).abs().to(at::kFloat),
                      .label_smoothing = 0.1};
  const auto compare = [&](const char* what) {
    checks.compare(
        what, {"logits"}, batch, type, {numbers(23).to(type)},
        [&](const Leaves& leaves) {
          return text_loss_sum(leaves[0], on_device(targets, checks.device())).loss;
        },
        [&](const Leaves& leaves) { return exact_loss(leaves[0], targets); });
  };
  compare("text_loss, labels");
  targets.label_smoothing = 0;
  targets.distributions = numbers(24).softmax(-1).to(at::kFloat);
  compare("text_loss, distributions");
  targets.several = true;
  targets.distributions = numbers(25).sigmoid().to(at::kFloat);
  compare("text_loss, several labels");
}

}  // namespace diffuse
