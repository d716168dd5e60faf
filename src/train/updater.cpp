#include "updater.hpp"

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

#include "diffuse/device/device.hpp"
#include "diffuse/ops/dispatched/text_loss.hpp"
#include "diffuse/train/gradient_clip.hpp"
#include "recording_check.hpp"

namespace diffuse {
namespace {

// Of parameters, in an update on one thread: a tenth of a millisecond.
constexpr std::int64_t kFewElements = 200'000;

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

std::optional<at::Tensor> divisor_of(const GradientClip& clip) {
  return clip.divisor.defined() ? std::optional(clip.divisor) : std::nullopt;
}

Batch on_device(Batch batch, at::Device device) {
  return batch.tokens.device() == device ? batch : make_batch(std::move(batch.host), device);
}

/// Whether the batch's tensors are those of its packed rows.
bool is_as_packed(const Batch& batch) {
  return batch.host != nullptr && batch.weights.defined() == !batch.host->weights().empty() &&
         batch.distributions.defined() == !batch.host->distributions().empty();
}

}  // namespace

Updater::Updater(const TrainConfig& config, Precision precision, Classifier& classifier)
    : Updater(config, precision, classifier, std::nullopt) {}

Updater::Updater(const TrainConfig& config, Precision precision, Classifier& classifier,
                 const std::optional<Record>& record)
    : config_(config),
      classifier_(with_kernel(config, precision, classifier)),
      parameters_(classifier.parameters()),
      options_(adamw_options(config)),
      touched_(classifier.is_fused() &&
               updates_touched_rows(config, classifier.kernel(), precision)),
      generator_(make_generator(classifier.device(), training_seed(config))),
      precision_(precision) {
  share_parameters();
  if (precision == Precision::fp16) scaler_.emplace(classifier.device());
  if (classifier.is_recordable() && !scaler_)
    recorded_.emplace(
        classifier.device(),
        [this](const StagedBatch& staged, const Batch& batch) { return update_by(staged, batch); },
        record ? *record : recording_that_works(classifier.device()));
}

/// Gives the embeddings to `tables_`, where touched_, and the other parameters to the optimizer.
void Updater::share_parameters() {
  std::vector<NamedParameter> others;
  tables_.clear();
  for (const NamedParameter& parameter : parameters_) {
    if (is_touched(parameter))
      tables_.emplace_back(parameter, options_, config_.ema_decay);
    else
      others.push_back(parameter);
  }
  dense_elements_ = 0;
  for (const NamedParameter& parameter : others) dense_elements_ += parameter.tensor.numel();
  optimizer_.emplace(others, options_);
  average_.reset();
  if (config_.ema_decay > 0) average_.emplace(others, config_.ema_decay);
  rows_.reset();
  const bool has_embedding = std::any_of(
      others.begin(), others.end(),
      [](const NamedParameter& other) { return other.role == ParameterRole::embedding; });
  if (has_embedding && classifier_.is_recordable() &&
      updates_touched_rows(config_, classifier_.kernel(), precision_))
    rows_.emplace(others, *optimizer_, options_);
}

/// Moves the averages, where there are any.
void Updater::average(std::int64_t update) {
  if (!average_) return;
  if (average_->is_due(update)) settle();
  average_->update(update);
}

/// A whole update by tensors that stay where they are.
Updater::Pass Updater::update_by(const StagedBatch& staged, const Batch& batch) {
  optimizer_->clear_gradients();  // of a recording that failed on the way
  EmbeddingAccess embeddings = rows_ ? rows_->access(staged.clock()) : EmbeddingAccess{};
  const Pass found = pass_by_autograd(
      batch, {.training = true, .device_place = staged.place()},
      [&](const at::Tensor& logits) {
        const TextLossSum sum = text_loss_sum(logits, {.labels = batch.labels,
                                                       .distributions = batch.distributions,
                                                       .weights = batch.weights,
                                                       .several = batch.several,
                                                       .label_smoothing = config_.label_smoothing});
        return Pass{sum.loss.mul(staged.share()), sum.correct};
      },
      embeddings, [](StepClock::Phase) {});
  const std::vector<at::Tensor> row_gradients = TouchedRows::gradients(embeddings);
  const GradientClip clip = measure_all(row_gradients, 0);
  optimizer_->step(staged.learning_rate(), divisor_of(clip));
  if (rows_) rows_->step(embeddings, row_gradients, clip.divisor, staged.clock());
  optimizer_->clear_gradients();
  return {.loss = found.loss, .correct = found.correct, .gradient_norm = clip.norm};
}

/// The norm of the optimizer's gradients, of `more` and of those whose squares have the sum
/// `squares`.
GradientClip Updater::measure_all(const std::vector<at::Tensor>& more, double squares) const {
  std::vector<at::Tensor> gradients = optimizer_->gradients();
  gradients.insert(gradients.end(), more.begin(), more.end());
  return measure_gradients(gradients, config_.clip_norm, squares);
}

UpdateFigures Updater::apply_recorded(const Batch& batch, const UpdateSize& size,
                                      std::int64_t update, double learning_rate, StepClock& clock) {
  clock.enter(StepClock::Phase::forward_backward);
  if (rows_) rows_->begin_update(learning_rate);
  const Pass found = recorded_->run(
      batch.host,
      {.place = {.seed = training_seed(config_), .update = static_cast<std::uint32_t>(update)},
       .learning_rate = learning_rate,
       .share = size.weight > 0 ? 1.0 / size.weight : 0,
       .clock = rows_ ? rows_->clock() : AdamWClock{}});
  clock.enter(StepClock::Phase::optimizer);
  average(update);
  if (rows_) rows_->settle_if_due();
  UpdateFigures figures{.update = update,
                        .examples = size.examples,
                        .tokens = static_cast<std::int64_t>(batch.host->tokens().size()),
                        .learning_rate = learning_rate};
  figures.loss = found.loss;
  figures.correct = found.correct;
  figures.gradient_norm = found.gradient_norm;
  return figures;
}

UpdateFigures Updater::apply(std::size_t batch_count, const UpdateSize& size,
                             const std::function<Batch(std::size_t)>& batch_at, std::int64_t update,
                             double learning_rate, StepClock& clock) {
  if (recorded_ && batch_count == 1) {
    clock.enter(StepClock::Phase::data);
    if (const Batch batch = batch_at(0); is_as_packed(batch))
      return apply_recorded(batch, size, update, learning_rate, clock);
  }
  UpdateFigures figures{
      .update = update, .examples = size.examples, .learning_rate = learning_rate};
  if (scaler_) figures.loss_scale = scaler_->current();
  // Of several batches the rows would have to be told together.
  const bool by_rows = rows_ && batch_count == 1;
  EmbeddingAccess access;
  at::Tensor row_clock;
  if (rows_ && !by_rows) rows_->settle();
  if (rows_) rows_->begin_update(learning_rate);
  if (by_rows) {
    row_clock = clock_on(rows_->clock(), classifier_.device());
    access = rows_->access(row_clock);
  }
  for (std::size_t i = 0; i < batch_count; ++i) {
    clock.enter(StepClock::Phase::data);
    const Batch batch = on_device(batch_at(i), classifier_.device());
    clock.enter(classifier_.is_fused() ? StepClock::Phase::forward_backward
                                       : StepClock::Phase::forward);
    const OneThreadScope threads(classifier_.is_small(batch));
    if (!by_rows) access = {};  // of the batch before
    const Pass found = pass(batch, size.weight, figures.loss_scale.value_or(1),
                            static_cast<std::uint32_t>(i), update, access, clock);
    figures.loss = i == 0 ? found.loss : figures.loss.add(found.loss);
    figures.correct = i == 0 ? found.correct : figures.correct.add(found.correct);
    figures.tokens += batch.token_count();
  }
  clock.enter(StepClock::Phase::optimizer);
  // Beside the fused kernel what is left for tensor operations is little: several threads would
  // mostly wait for one another.
  const OneThreadScope alone(classifier_.is_fused() && dense_elements_ < kFewElements);
  std::vector<RowGradient> rows;
  double row_squares = 0;  // of those that the optimizer does not have
  if (classifier_.is_fused()) {
    rows = classifier_.row_gradients();
    const std::vector<at::Tensor> tables = embeddings();
    for (std::size_t table = 0; table < rows.size(); ++table) {
      if (touched_)
        row_squares += rows[table].square_sum;
      else
        scatter_rows(rows[table], tables.at(table));
    }
  }
  figures.skipped = scaler_ && !scaler_->unscale(optimizer_->gradients());
  if (figures.skipped) {
    figures.gradient_norm = at::zeros({}, figures.loss.options());
  } else {
    const std::vector<at::Tensor> row_gradients = TouchedRows::gradients(access);
    const GradientClip clip = [&] {
      // Several threads would add up a large matrix in parts, by their number.
      const OneThreadScope in_order(classifier_.is_fused());
      return measure_all(row_gradients, row_squares);
    }();
    const auto divisor = divisor_of(clip);
    optimizer_->step(learning_rate, divisor);
    if (by_rows)
      rows_->step(access, row_gradients, clip.divisor, row_clock);
    else if (rows_)
      rows_->dense_update();
    for (std::size_t table = 0; table < tables_.size(); ++table)
      tables_[table].step(rows.at(table), update, learning_rate,
                          divisor ? divisor->item<double>() : 1.0);
    average(update);
    if (rows_) rows_->settle_if_due();
    figures.gradient_norm = clip.norm;
  }
  if (scaler_) scaler_->update();
  // Autograd writes a first gradient where it likes, and would have to add to one that is there.
  optimizer_->clear_gradients(/*keep_memory=*/classifier_.is_fused());
  return figures;
}

std::vector<at::Tensor> Updater::embeddings() const {
  std::vector<at::Tensor> found;
  for (const NamedParameter& parameter : parameters_)
    if (parameter.role == ParameterRole::embedding) found.push_back(parameter.tensor);
  return found;
}

}  // namespace diffuse
