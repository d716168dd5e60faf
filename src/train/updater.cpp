#include "updater.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "diffuse/base/log.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/train/gradient_clip.hpp"
#include "diffuse/train/loss.hpp"

namespace diffuse {
namespace {

// A stream of random numbers that must not repeat the sampler's, which are those of the epochs.
constexpr std::uint64_t kTrainingStream = 0x7472'6169'6eULL;
constexpr const char* kGenerator = "generator";

}  // namespace

Updater::Updater(const TrainConfig& config, Precision precision, Classifier& classifier)
    : config_(config),
      classifier_(classifier),
      parameters_(classifier.parameters()),
      optimizer_(parameters_, {.beta1 = config.beta1,
                               .beta2 = config.beta2,
                               .epsilon = config.epsilon,
                               .weight_decay = config.weight_decay,
                               .embedding_weight_decay = config.embedding_weight_decay,
                               .embedding_lr_factor = config.embedding_lr_factor}),
      generator_(make_generator(
          classifier.device(), mix_seed(static_cast<std::uint64_t>(config.seed), kTrainingStream))),
      precision_(precision) {
  if (config.ema_decay > 0) average_.emplace(parameters_, config.ema_decay);
  if (precision == Precision::fp16) scaler_.emplace(classifier.device());
}

UpdateFigures Updater::apply(std::size_t batch_count, std::int64_t examples,
                             const std::function<Batch(std::size_t)>& batch_at, std::int64_t update,
                             double learning_rate, StepClock& clock) {
  UpdateFigures figures{.update = update, .examples = examples, .learning_rate = learning_rate};
  if (scaler_) figures.loss_scale = scaler_->current();
  for (std::size_t i = 0; i < batch_count; ++i) {
    clock.enter(StepClock::Phase::data);
    const Batch batch = batch_at(i);
    clock.enter(StepClock::Phase::forward);
    const OneThreadScope threads(classifier_.is_small(batch));
    at::Tensor logits;
    {
      const PrecisionScope scope(precision_, classifier_.device());
      logits = classifier_.forward(batch, {.training = true, .generator = generator_});
    }
    // The mean over all examples of the update: each batch counts by its size.
    const at::Tensor loss =
        classification_loss(logits, batch.labels, config_.label_smoothing)
            .mul(static_cast<double>(batch.size()) / static_cast<double>(examples));
    clock.enter(StepClock::Phase::backward);
    (scaler_ ? scaler_->scale(loss) : loss).backward();
    const at::Tensor correct = logits.detach().argmax(-1).eq(batch.labels).sum();
    figures.loss = i == 0 ? loss.detach() : figures.loss.add(loss.detach());
    figures.correct = i == 0 ? correct : figures.correct.add(correct);
    figures.tokens += batch.token_count();
  }
  clock.enter(StepClock::Phase::optimizer);
  figures.skipped = scaler_ && !scaler_->unscale(optimizer_.gradients());
  if (figures.skipped) {
    figures.gradient_norm = at::zeros({}, figures.loss.options());
  } else {
    const GradientClip clip = measure_gradients(optimizer_.gradients(), config_.clip_norm);
    optimizer_.step(learning_rate,
                    clip.divisor.defined() ? std::optional(clip.divisor) : std::nullopt);
    if (average_) average_->update(update);
    figures.gradient_norm = clip.norm;
  }
  if (scaler_) scaler_->update();
  optimizer_.clear_gradients();
  return figures;
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
  if (scaler_) {
    for (auto& entry : scaler_->state()) named.push_back(std::move(entry));
  }
  named.emplace_back(kGenerator, generator_.get_state());
  return named;
}

void Updater::restore(const std::filesystem::path& folder) {
  const std::vector<at::Tensor> model = model_tensors();
  std::vector<std::pair<std::string, at::Tensor>> weights;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    weights.emplace_back(parameters_[i].name, model[i]);
  load_tensors(folder / "model.safetensors", weights);

  const std::filesystem::path path = folder / "optimizer.safetensors";
  const SafetensorsFile file = SafetensorsFile::read(path);
  std::vector<std::pair<std::string, at::Tensor>> state = training_tensors();
  at::Tensor random = state.back().second;
  const auto stored = file.tensors().find(kGenerator);
  const bool same_random =
      stored != file.tensors().end() && random.sizes() == at::IntArrayRef(stored->second.shape);
  if (!same_random && stored != file.tensors().end()) {
    log::warning(
        "The random numbers of another kind of device cannot be gone on with: they start anew, and "
        "the run will not be the same to the bit.");
    state.back().second = at::empty(stored->second.shape, at::kByte);
  }
  const bool stored_scale = file.tensors().contains("scaler.scale");
  if (stored_scale != scaler_.has_value()) {
    log::warning(
        "The checkpoint was made in another precision: the run will not be the same to the bit.");
    std::erase_if(state, [](const auto& entry) { return entry.first.starts_with("scaler."); });
    if (stored_scale) {
      state.emplace_back("scaler.scale", at::empty({1}, at::kFloat));
      state.emplace_back("scaler.good_updates", at::empty({1}, at::kInt));
    }
  }
  load_tensors(path, state);
  if (same_random) generator_.set_state(random);
}

}  // namespace diffuse
