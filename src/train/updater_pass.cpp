// Forward, loss and backward of an update's batches.

#include <ATen/ops/scalar_tensor.h>

#include "diffuse/base/random.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/ops/dispatched/adversarial.hpp"
#include "diffuse/ops/reference/adversarial.hpp"
#include "diffuse/train/loss.hpp"
#include "updater.hpp"

namespace diffuse {

std::uint64_t training_seed(const TrainConfig& config) {
  // A stream of random numbers that must not repeat the sampler's, which are those of the epochs.
  constexpr std::uint64_t kTrainingStream = 0x7472'6169'6eULL;
  return mix_seed(static_cast<std::uint64_t>(config.seed), kTrainingStream);
}

Updater::Pass Updater::pass(const Batch& batch, double total_weight, double loss_scale,
                            std::uint32_t index, std::int64_t update, EmbeddingAccess& embeddings,
                            StepClock& clock) {
  const ForwardContext context{.training = true,
                               .generator = generator_,
                               .place = {.seed = training_seed(config_),
                                         .update = static_cast<std::uint32_t>(update),
                                         .batch = index}};
  PassOptions options{.label_smoothing = config_.label_smoothing,
                      .weight = total_weight > 0 ? 1.0 / total_weight : 0,
                      .adversarial = config_.adversarial,
                      .loss_scale = loss_scale};
  if (touched_)
    options.before_rows = [this](std::size_t table, std::span<const std::int32_t> ids,
                                 WorkerPool& workers) { tables_[table].catch_up(ids, workers); };
  if (const auto figures = classifier_.train_pass(batch, context, options)) {
    if (figures->device_loss.defined()) return {figures->device_loss, figures->device_correct};
    // Beside the norm of the gradients, wherever that is.
    const at::TensorOptions place(classifier_.device());
    return {at::scalar_tensor(figures->loss, place.dtype(at::kFloat)),
            at::scalar_tensor(figures->correct, place.dtype(at::kLong))};
  }
  return pass_by_autograd(
      batch, context,
      [&](const at::Tensor& logits) {
        return Pass{batch_loss(logits, batch, config_.label_smoothing, total_weight),
                    count_correct(logits.detach(), batch)};
      },
      embeddings, [&](StepClock::Phase phase) { clock.enter(phase); });
}

/// With an adversarial step a second pass adds its gradients.
Updater::Pass Updater::pass_by_autograd(const Batch& batch, ForwardContext context,
                                        const LossOf& loss_of, EmbeddingAccess& embeddings,
                                        const EnterPhase& enter) {
  const bool adversarial = config_.adversarial > 0;
  // Operations of ours draw by place: the second pass has the noise and the dropout of the first.
  const bool draws_in_order = classifier_.kernel() != Kernel::operations;
  at::Tensor random;
  if (adversarial || embeddings.before_rows) context.embeddings = &embeddings;
  if (adversarial && draws_in_order) random = generator_.get_state();
  const auto run = [&] {
    at::Tensor logits;
    {
      const PrecisionScope scope(precision_, classifier_.device());
      logits = classifier_.forward(batch, context);
    }
    const Pass own = loss_of(logits);
    enter(StepClock::Phase::backward);
    (scaler_ ? scaler_->scale(own.loss) : own.loss).backward();
    return Pass{own.loss.detach(), own.correct};
  };
  const Pass found = run();
  if (adversarial && embeddings.sum.defined()) {  // of other models there is none
    embeddings.step = adversarial_step(batch, embeddings);
    if (draws_in_order) generator_.set_state(random);
    enter(StepClock::Phase::forward);
    run();
  }
  return found;
}

/// A loss scale is in the gradient, but not in its direction.
at::Tensor Updater::adversarial_step(const Batch& batch, const EmbeddingAccess& embeddings) const {
  const at::Tensor sum = embeddings.sum.detach();
  const at::Tensor gradient = embeddings.sum.grad();
  if (classifier_.kernel() != Kernel::operations)
    return reference_adversarial_step(sum, gradient, batch.host_offsets, config_.adversarial);
  return dispatched_adversarial_step(sum, gradient, TextRows(batch.offsets, batch.token_count()),
                                     config_.adversarial);
}

}  // namespace diffuse
