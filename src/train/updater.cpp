#include "updater.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/train/gradient_clip.hpp"
#include "diffuse/train/loss.hpp"

namespace diffuse {
namespace {

// A stream of random numbers that must not repeat the sampler's, which are those of the epochs.
constexpr std::uint64_t kTrainingStream = 0x7472'6169'6eULL;
constexpr const char* kGenerator = "generator";
// Of parameters, in an update on one thread: a tenth of a millisecond.
constexpr std::int64_t kFewElements = 200'000;

std::uint64_t training_seed(const TrainConfig& config) {
  return mix_seed(static_cast<std::uint64_t>(config.seed), kTrainingStream);
}

/// The classifier with the kernel that the configuration asks for.
Classifier& with_kernel(const TrainConfig& config, Precision precision, Classifier& classifier) {
  classifier.use_kernel(config.kernel, precision);
  return classifier;
}

/// Makes the rows' gradient the table's own, of which nothing is known yet.
void scatter_rows(const RowGradient& rows, const at::Tensor& table) {
  at::Tensor& grad = const_cast<at::Tensor&>(table).mutable_grad();
  if (!grad.defined()) grad = at::zeros_like(table);
  float* to = grad.mutable_data_ptr<float>();
  for (std::size_t i = 0; i < rows.ids.size(); ++i)
    std::copy_n(rows.row(i), rows.dim, to + rows.ids[i] * rows.dim);
}

}  // namespace

Updater::Updater(const TrainConfig& config, Precision precision, Classifier& classifier)
    : config_(config),
      classifier_(with_kernel(config, precision, classifier)),
      parameters_(classifier.parameters()),
      options_(adamw_options(config)),
      touched_(updates_touched_rows(config, classifier.is_fused())),
      generator_(make_generator(classifier.device(), training_seed(config))),
      precision_(precision) {
  share_parameters();
  if (precision == Precision::fp16) scaler_.emplace(classifier.device());
}

/// Gives the embedding to `rows_`, where touched_, and the other parameters to the optimizer.
void Updater::share_parameters() {
  std::vector<NamedParameter> others;
  rows_.reset();
  for (const NamedParameter& parameter : parameters_) {
    if (touched_ && parameter.role == ParameterRole::embedding)
      rows_.emplace(parameter, options_, config_.ema_decay);
    else
      others.push_back(parameter);
  }
  dense_elements_ = 0;
  for (const NamedParameter& parameter : others) dense_elements_ += parameter.tensor.numel();
  optimizer_.emplace(others, options_);
  average_.reset();
  if (config_.ema_decay > 0) average_.emplace(others, config_.ema_decay);
}

Updater::Pass Updater::pass(const Batch& batch, double total_weight, std::uint32_t index,
                            std::int64_t update, StepClock& clock) {
  const ForwardContext context{.training = true,
                               .generator = generator_,
                               .place = {.seed = training_seed(config_),
                                         .update = static_cast<std::uint32_t>(update),
                                         .batch = index}};
  PassOptions options{.label_smoothing = config_.label_smoothing,
                      .weight = total_weight > 0 ? 1.0 / total_weight : 0};
  if (rows_)
    options.before_rows = [this](std::span<const std::int32_t> ids, WorkerPool& workers) {
      rows_->catch_up(ids, workers);
    };
  if (const auto figures = classifier_.train_pass(batch, context, options))
    return {at::scalar_tensor(figures->loss, at::kFloat),
            at::scalar_tensor(figures->correct, at::kLong)};
  at::Tensor logits;
  {
    const PrecisionScope scope(precision_, classifier_.device());
    logits = classifier_.forward(batch, context);
  }
  const at::Tensor loss = batch_loss(logits, batch, config_.label_smoothing, total_weight);
  clock.enter(StepClock::Phase::backward);
  (scaler_ ? scaler_->scale(loss) : loss).backward();
  return {loss.detach(), logits.detach().argmax(-1).eq(batch.labels).sum()};
}

UpdateFigures Updater::apply(std::size_t batch_count, const UpdateSize& size,
                             const std::function<Batch(std::size_t)>& batch_at, std::int64_t update,
                             double learning_rate, StepClock& clock) {
  UpdateFigures figures{
      .update = update, .examples = size.examples, .learning_rate = learning_rate};
  if (scaler_) figures.loss_scale = scaler_->current();
  for (std::size_t i = 0; i < batch_count; ++i) {
    clock.enter(StepClock::Phase::data);
    const Batch batch = batch_at(i);
    clock.enter(classifier_.is_fused() ? StepClock::Phase::forward_backward
                                       : StepClock::Phase::forward);
    const OneThreadScope threads(classifier_.is_small(batch));
    const Pass found = pass(batch, size.weight, static_cast<std::uint32_t>(i), update, clock);
    figures.loss = i == 0 ? found.loss : figures.loss.add(found.loss);
    figures.correct = i == 0 ? found.correct : figures.correct.add(found.correct);
    figures.tokens += batch.token_count();
  }
  clock.enter(StepClock::Phase::optimizer);
  // Beside the fused kernel what is left for tensor operations is little: several threads would
  // mostly wait for one another.
  const OneThreadScope alone(classifier_.is_fused() && dense_elements_ < kFewElements);
  RowGradient rows;
  if (classifier_.is_fused()) {
    rows = classifier_.row_gradient();
    if (!rows_) scatter_rows(rows, embedding());
  }
  figures.skipped = scaler_ && !scaler_->unscale(optimizer_->gradients());
  if (figures.skipped) {
    figures.gradient_norm = at::zeros({}, figures.loss.options());
  } else {
    const GradientClip clip = [&] {
      // Several threads would add up a large matrix in parts, by their number.
      const OneThreadScope in_order(classifier_.is_fused());
      return measure_gradients(optimizer_->gradients(), config_.clip_norm,
                               rows_ ? rows.square_sum : 0);
    }();
    const auto divisor = clip.divisor.defined() ? std::optional(clip.divisor) : std::nullopt;
    optimizer_->step(learning_rate, divisor);
    if (rows_) rows_->step(rows, update, learning_rate, divisor ? divisor->item<double>() : 1.0);
    if (average_) average_->update(update);
    figures.gradient_norm = clip.norm;
  }
  if (scaler_) scaler_->update();
  // Autograd writes a first gradient where it likes, and would have to add to one that is there.
  optimizer_->clear_gradients(/*keep_memory=*/classifier_.is_fused());
  return figures;
}

/// Goes on with dense updates where those of touched rows have come.
void Updater::make_dense() {
  log::info(
      "The checkpoint was made with updates of touched rows; the embedding's go on dense, and the "
      "run will not be the same to the bit.");
  rows_->finish();
  const RowAdamW rows = *std::move(rows_);
  const auto before = other_tensors();
  const std::optional<WeightAverage> averages = std::move(average_);
  touched_ = false;
  share_parameters();
  for (const auto& [name, to] : optimizer_->state()) {
    if (name == "exp_avg." + rows.name()) to.copy_(rows.moment1());
    if (name == "exp_avg_sq." + rows.name()) to.copy_(rows.moment2());
    for (const auto& [from_name, from] : before)
      if (from_name == name) to.copy_(from);
    // Each group counts its updates; the embedding's had none before.
    if (name == "step.embedding")
      for (const auto& [from_name, from] : before)
        if (from_name.starts_with("step.")) to.copy_(from);
  }
  if (!averages) return;
  std::size_t dense = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    average_->values()[i].copy_(parameters_[i].role == ParameterRole::embedding
                                    ? rows.average()
                                    : averages->values()[dense++]);
}

const at::Tensor& Updater::embedding() const {
  for (const NamedParameter& parameter : parameters_)
    if (parameter.role == ParameterRole::embedding) return parameter.tensor;
  throw Error("The model has no embedding.");
}

std::vector<at::Tensor> Updater::model_tensors() const {
  std::vector<at::Tensor> tensors;
  std::size_t dense = 0;
  for (const NamedParameter& parameter : parameters_) {
    if (rows_ && parameter.role == ParameterRole::embedding)
      tensors.emplace_back();
    else if (!average_)
      tensors.push_back(parameter.tensor.detach());
    else
      tensors.push_back(average_->values()[dense++]);
  }
  return tensors;
}

RowSource Updater::settled_rows() const {
  if (!rows_) return {};
  return [this](std::int64_t begin, std::int64_t end, float* to) { rows_->settle(begin, end, to); };
}

std::vector<std::pair<std::string, at::Tensor>> Updater::training_tensors() const {
  std::vector<std::pair<std::string, at::Tensor>> named = other_tensors();
  if (rows_)
    for (auto& entry : rows_->state()) named.push_back(std::move(entry));
  return named;
}

std::vector<std::pair<std::string, at::Tensor>> Updater::other_tensors() const {
  std::vector<std::pair<std::string, at::Tensor>> named = optimizer_->state();
  for (const NamedParameter& parameter : parameters_) {
    // The model's rows are as of the last update, these as of each one's own.
    if (average_ || (rows_ && parameter.role == ParameterRole::embedding))
      named.emplace_back("raw." + parameter.name, parameter.tensor.detach());
  }
  if (scaler_) {
    for (auto& entry : scaler_->state()) named.push_back(std::move(entry));
  }
  named.emplace_back(kGenerator, generator_.get_state());
  return named;
}

void Updater::restore(const std::filesystem::path& folder, std::int64_t update) {
  const std::filesystem::path path = folder / "optimizer.safetensors";
  const SafetensorsFile file = SafetensorsFile::read(path);
  const bool wanted = touched_;
  const bool was_touched =
      std::any_of(file.tensors().begin(), file.tensors().end(),
                  [](const auto& entry) { return entry.first.starts_with("last_update."); });
  if (was_touched != touched_) {
    touched_ = was_touched;
    share_parameters();
    if (wanted)
      log::info("The checkpoint was made with dense updates of the embedding: so the run goes on.");
  }
  const std::vector<at::Tensor> model = model_tensors();
  std::vector<std::pair<std::string, at::Tensor>> weights;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    weights.emplace_back(parameters_[i].name,
                         model[i].defined() ? model[i] : at::empty_like(parameters_[i].tensor));
  load_tensors(folder / "model.safetensors", weights);

  std::vector<std::pair<std::string, at::Tensor>> state = other_tensors();
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
  std::vector<std::pair<std::string, at::Tensor>> rows;
  if (rows_) {
    // Before memory is taken for as many updates as state.json has.
    const auto decay = file.tensors().find("decay." + rows_->name());
    if (decay == file.tensors().end() ||
        decay->second.shape != std::vector<std::int64_t>{update + 1})
      throw CheckpointError(fmt::format(
          "'{}' does not belong to update {}, at which state.json stands.", path.string(), update));
    rows = rows_->state_of(update);
  }
  state.insert(state.end(), rows.begin(), rows.end());
  load_tensors(path, state);
  if (rows_) rows_->resume(update, rows);
  if (was_touched && !wanted) make_dense();
  if (same_random) generator_.set_state(random);
}

}  // namespace diffuse
