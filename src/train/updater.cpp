#include "updater.hpp"

#include "diffuse/base/random.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/train/gradient_clip.hpp"
#include "diffuse/train/loss.hpp"

namespace diffuse {
namespace {

// A stream of random numbers that must not repeat the sampler's, which are those of the epochs.
constexpr std::uint64_t kTrainingStream = 0x7472'6169'6eULL;

}  // namespace

Updater::Updater(const TrainConfig& config, Classifier& classifier)
    : config_(config),
      classifier_(classifier),
      parameters_(classifier.parameters()),
      optimizer_(parameters_, {.beta1 = config.beta1,
                               .beta2 = config.beta2,
                               .epsilon = config.epsilon,
                               .weight_decay = config.weight_decay}),
      generator_(
          make_generator(classifier.device(),
                         mix_seed(static_cast<std::uint64_t>(config.seed), kTrainingStream))) {
  if (config.ema_decay > 0) average_.emplace(parameters_, config.ema_decay);
}

UpdateFigures Updater::apply(const Batch& batch, std::int64_t update, double learning_rate,
                             StepClock& clock) {
  clock.enter(StepClock::Phase::forward);
  const at::Tensor logits = classifier_.forward(batch, {.training = true, .generator = generator_});
  const at::Tensor loss = classification_loss(logits, batch.labels, config_.label_smoothing);
  clock.enter(StepClock::Phase::backward);
  loss.backward();
  clock.enter(StepClock::Phase::optimizer);
  const GradientClip clip = measure_gradients(optimizer_.gradients(), config_.clip_norm);
  optimizer_.step(learning_rate,
                  clip.divisor.defined() ? std::optional(clip.divisor) : std::nullopt);
  optimizer_.clear_gradients();
  if (average_) average_->update(update);
  return {.update = update,
          .examples = batch.size(),
          .tokens = batch.token_count(),
          .learning_rate = learning_rate,
          .loss = loss.detach(),
          .gradient_norm = clip.norm,
          .correct = logits.detach().argmax(-1).eq(batch.labels).sum()};
}

std::vector<at::Tensor> Updater::model_tensors() const {
  if (average_) return average_->values();
  std::vector<at::Tensor> tensors;
  for (const NamedParameter& parameter : parameters_) tensors.push_back(parameter.tensor.detach());
  return tensors;
}

std::vector<std::pair<std::string, at::Tensor>> Updater::training_tensors() const {
  std::vector<std::pair<std::string, at::Tensor>> named = optimizer_.state();
  if (average_) {
    for (const NamedParameter& parameter : parameters_)
      named.emplace_back("raw." + parameter.name, parameter.tensor.detach());
  }
  named.emplace_back("generator", generator_.get_state());
  return named;
}

}  // namespace diffuse
