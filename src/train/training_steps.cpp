#include "training_steps.hpp"

#include <utility>
#include <vector>

#include "diffuse/base/log.hpp"

namespace diffuse {

TrainingSteps::TrainingSteps(const Config& config, const TrainingData& data, Classifier& classifier,
                             Precision precision, const LearningRateSchedule& schedule,
                             const RunProgress& progress, Reporter& reporter)
    : config_(config),
      device_(classifier.device()),
      schedule_(schedule),
      updater_(config.train, precision, classifier),
      loader_(data.train, config.train, data.labels.size(), config.data.epoch_rows,
              piece_rule(config.tokenizer)),
      progress_(progress),
      reporter_(reporter),
      clock_(device_, config.train.log_every) {}

void TrainingSteps::resume(const std::filesystem::path& folder, const TrainingState& state) {
  updater_.restore(folder, state.update);
  loader_.seek(state.epoch, state.position);
  figures_.resume_period(state.period);
  figures_.resume_recent(state.recent);
  update_ = state.update;
  before_ = read_training_schedule(folder / "state.json");
}

/// A greater length lays the schedule out anew: what it had come down to, it comes up from again.
void TrainingSteps::tell_learning_rate() const {
  // They follow the time, or there is nothing to update.
  if (before_.total == 0 || schedule_.total == 0) return;
  const double from = learning_rate_at(before_, update_);
  const double to = learning_rate_at(schedule_, update_);
  if (to <= 1.01 * from) return;
  log::warning(
      "The learning rate starts anew: its schedule is laid over the new length, so that the next "
      "update takes {:.3g} where the run so far had come to {:.3g}. A run of this length from "
      "the beginning would not have come down in between, and may end elsewhere.",
      to, from);
}

void TrainingSteps::next(TrainingState& state) {
  clock_.begin_update();
  learning_rate_ = learning_rate_at(schedule_, state.update, progress_.elapsed_share());
  const LoadedUpdate& loaded = loader_.next();
  const auto batch_at = [&](std::size_t index) {
    return make_batch(loaded.batches[index], at::kCPU);
  };
  UpdateFigures figures = updater_.apply(
      loaded.batches.size(), {static_cast<std::int64_t>(loaded.rows.size()), loaded.weight},
      batch_at, ++state.update, learning_rate_, clock_);
  update_ = state.update;
  // Of texts in pieces the share of the pieces that are right stands for that of the texts.
  if (const auto rows = std::ssize(loaded.rows); loaded.sequences > rows)
    figures.correct =
        figures.correct.mul(static_cast<double>(rows) / static_cast<double>(loaded.sequences));
  figures.rows = loaded.rows;
  figures_.add(figures);
  clock_.end_update();
  ++period_updates_;
  state.epoch = loaded.epoch;
  state.position = loaded.position;
  if (device_.is_cpu()) fetch();
  if (reporter_.wants_update()) show();
  if (update_ % config_.train.log_every == 0) report_window();
}

void TrainingSteps::fetch() {
  std::optional<Divergence> divergence;
  clock_.wait_for_updates([&] { divergence = figures_.drain(); });
  if (divergence) throw Diverged{*std::move(divergence)};
}

/// Nothing right after a report.
std::optional<HistoryTrain> TrainingSteps::window_line() {
  fetch();
  const FigureSums& window = figures_.window();
  if (!window.mean_loss()) return std::nullopt;
  const double seconds = clock_.total_training_s() - window_start_s_;
  HistoryTrain line{.update = update_,
                    .epoch = epochs_done(),
                    .loss = *window.mean_loss(),
                    .learning_rate = learning_rate_,
                    .gradient_norm = figures_.last_gradient_norm(),
                    .tokens_per_s = seconds > 0 ? static_cast<double>(window.tokens) / seconds : 0,
                    .eta_s = progress_.remaining_s(update_),
                    .loss_scale = figures_.last_loss_scale()};
  if (line.loss_scale) line.skipped_updates = window.skipped_updates;
  return line;
}

/// In the progress line.
void TrainingSteps::show() {
  // The mean of one or two batches jumps about: right after a report, the line stands still.
  constexpr std::int64_t kFewExamples = 500;
  const auto live = window_line();
  if (!live || (update_ > config_.train.log_every && figures_.window().examples < kFewExamples))
    return;
  reporter_.show_update(*live, progress_.done_share(update_));
}

void TrainingSteps::report_window() {
  const auto line = window_line();
  if (!line) return;
  reporter_.report(*line, progress_.done_share(update_));
  figures_.clear_window();
  window_start_s_ = clock_.total_training_s();
}

void TrainingSteps::clear_period() {
  figures_.clear_period();
  period_updates_ = 0;
}

}  // namespace diffuse
