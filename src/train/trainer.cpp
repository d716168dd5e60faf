#include "diffuse/train/trainer.hpp"

#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "batch_stream.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/checkpoint_manifest.hpp"
#include "diffuse/train/checkpointer.hpp"
#include "diffuse/train/plan.hpp"
#include "diffuse/train/time_split.hpp"
#include "divergence_text.hpp"
#include "reporter.hpp"
#include "run_clock.hpp"
#include "running_figures.hpp"
#include "updater.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kEvaluationBatch = 256;

at::Device move_to_device(const Config& config, Classifier& classifier) {
  const at::Device device = resolve_device(config.train.device);
  classifier.to(device);
  return device;
}

class Trainer {
 public:
  Trainer(const Config& config, const TrainingData& data, Classifier& classifier,
          const fs::path& run_dir, const std::optional<fs::path>& resume_from,
          const std::optional<BaselineFigures>& baseline)
      : config_(config),
        data_(data),
        classifier_(classifier),
        plan_(make_plan(config.train, updates_in_epoch(config.train, data.train))),
        device_(move_to_device(config, classifier)),
        precision_(resolve_precision(config.train.precision, device_, /*tell=*/false)),
        updater_(config.train, precision_, classifier),
        stream_(data.train, config.train),
        checkpointer_(run_dir, config.train.keep_checkpoints),
        reporter_(run_dir, config.train.tensorboard),
        clock_(device_, config.train.log_every),
        baseline_(baseline) {
    set_matrix_precision(precision_);
    if (resume_from) restore(*resume_from);
    if (data.validation.size() == 0)
      log::info("no validation rows: no checkpoint is the best, the last one is the result");
    if (const std::string problem = warmup_problem(config.train, plan_); !problem.empty())
      log::warning("{}", problem);
    reset_peak_memory(device_);
  }

  TrainingResult run() {
    if (saved_update_ && !state_.evaluation_due && finished()) {
      TrainingResult result = make_result();
      result.was_finished = true;
      return result;
    }
    if (saved_update_) log::info("going on after update {}", state_.update);
    reporter_.report(start_line());
    if (state_.evaluation_due) end_period();
    for (bool done = finished(); !done && stop_signal() == 0; done = done || state_.stopped_early) {
      train_update();
      if (state_.update % config_.train.log_every == 0) report_window();
      done = finished();  // asked once, because time passes: the end is always evaluated
      const int asked = take_checkpoint_signal();
      if (done || state_.update % plan_.evaluate_every == 0) {
        end_period();
      } else if (asked != 0 || checkpoint_due()) {
        save();
      }
      if (asked != 0 && saved_update_ == state_.update)
        log::info("{}: the checkpoint of update {} is written, the training goes on",
                  signal_name(asked), state_.update);
    }
    if (stop_signal() != 0) {
      report_window();  // of the updates that no later line will speak of
      log::warning("{}: stopping after update {}", signal_name(stop_signal()), state_.update);
      if (saved_update_ != state_.update) save();
    } else if (!saved_update_ && save_problem_.empty()) {
      end_period();  // a run of length 0
    }
    reporter_.report(HistoryDone{
        .updates = state_.update,
        .training_time_s = run_clock_.elapsed_s(),
        .best_update = state_.has_best ? std::optional(state_.best_update) : std::nullopt,
        .best_accuracy = state_.has_best ? std::optional(state_.best_accuracy) : std::nullopt,
        .stopped_early = state_.stopped_early,
        .stopped_by_signal = stop_signal()});
    if (saved_update_ != state_.update) throw SystemError(unsaved_text());
    return make_result();
  }

 private:
  void restore(const fs::path& folder) {
    check_checkpoint(folder, CheckpointUse::training);
    state_ = read_training_state(folder / "state.json");
    updater_.restore(folder);
    stream_.seek(state_.epoch, state_.position);
    figures_.resume_period(state_.period);
    figures_.resume_recent(state_.recent);
    run_clock_ = RunClock(state_.elapsed_s);
    checkpointer_.adopt(state_);
    saved_update_ = state_.update;
    saved_at_s_ = state_.elapsed_s;
    tell_learning_rate(read_training_schedule(folder / "state.json"));
    // Patience may have been raised since.
    state_.stopped_early = state_.stopped_early && patience_ran_out();
  }

  /// A greater length lays the schedule out anew: what it had come down to, it comes up from again.
  void tell_learning_rate(const LearningRateSchedule& before) const {
    if (before.total == 0 || plan_.schedule.total == 0) return;  // they follow the time
    const double from = learning_rate_at(before, state_.update);
    const double to = learning_rate_at(plan_.schedule, state_.update);
    if (to <= 1.01 * from) return;
    log::warning(
        "The learning rate starts anew: its schedule is laid over the new length, so that the next "
        "update takes {:.3g} where the run so far had come to {:.3g}. A run of this length from "
        "the beginning would not have come down in between, and may end elsewhere.",
        to, from);
  }

  bool patience_ran_out() const {
    const std::int64_t patience = config_.train.patience;
    return patience > 0 && state_.evaluations_without_gain >= patience;
  }

  bool out_of_time() const {
    return plan_.time_limit_s > 0 && run_clock_.elapsed_s() >= plan_.time_limit_s;
  }

  bool finished() const {
    return state_.update >= plan_.total || state_.stopped_early || out_of_time();
  }

  double elapsed_share() const {
    return plan_.time_limit_s > 0 ? run_clock_.elapsed_s() / plan_.time_limit_s : 0;
  }

  HistoryStart start_line() const {
    const bool counted = plan_.time_limit_s == 0;
    return {.time = utc_now(),
            .update = state_.update,
            .total_updates = counted ? std::optional(plan_.total) : std::nullopt,
            .updates_per_epoch = plan_.updates_per_epoch,
            .device = device_.str(),
            .precision = std::string(enum_name(precision_)),
            .threads = at::get_num_threads(),
            .parameter_count = parameter_count(classifier_)};
  }

  void train_update() {
    clock_.begin_update();
    learning_rate_ = learning_rate_at(plan_.schedule, state_.update, elapsed_share());
    const auto& batches = stream_.next();
    std::vector<std::uint32_t> rows;
    for (const auto& batch : batches) rows.insert(rows.end(), batch.begin(), batch.end());
    const auto batch_at = [&](std::size_t index) {
      return make_batch(pack_rows(*data_.train.data, batches[index]), device_);
    };
    UpdateFigures figures = updater_.apply(batches.size(), static_cast<std::int64_t>(rows.size()),
                                           batch_at, ++state_.update, learning_rate_, clock_);
    figures.rows = std::move(rows);
    figures_.add(figures);
    clock_.end_update();
    ++period_updates_;
    state_.epoch = stream_.epoch();
    state_.position = stream_.position();
    if (device_.is_cpu()) fetch_figures();
    if (reporter_.wants_update()) show_update();
  }

  void fetch_figures() {
    std::optional<Divergence> divergence;
    clock_.wait_for_updates([&] { divergence = figures_.drain(); });
    if (!divergence) return;
    std::vector<std::uint64_t> rows;
    for (const std::uint32_t row : divergence->rows) rows.push_back(data_.train.data->number(row));
    reporter_.report(
        HistoryDivergence{.update = divergence->update,
                          .loss = divergence->loss,
                          .learning_rate = divergence->learning_rate,
                          .gradient_norm = divergence->gradient_norm,
                          .loss_scale = divergence->loss_scale,
                          .rows = std::vector<std::int64_t>(rows.begin(), rows.end())});
    throw TrainingError(divergence_text(
        *divergence, config_, rows,
        saved_update_ ? checkpointer_.folder(*saved_update_).string() : std::string()));
  }

  /// Of the whole run, 0 to 1.
  double done_share() const {
    return plan_.time_limit_s > 0
               ? std::min(elapsed_share(), 1.0)
               : static_cast<double>(state_.update) / static_cast<double>(plan_.total);
  }

  /// The figures since the last report; nothing right after one.
  std::optional<HistoryTrain> window_line() {
    fetch_figures();
    const FigureSums& window = figures_.window();
    if (!window.mean_loss()) return std::nullopt;
    const double seconds = clock_.total_training_s() - window_start_s_;
    HistoryTrain line{
        .update = state_.update,
        .epoch = stream_.epochs_done(),
        .loss = *window.mean_loss(),
        .learning_rate = learning_rate_,
        .gradient_norm = figures_.last_gradient_norm(),
        .tokens_per_s = seconds > 0 ? static_cast<double>(window.tokens) / seconds : 0,
        .eta_s = run_clock_.remaining_s(done_share()),
        .loss_scale = figures_.last_loss_scale()};
    if (line.loss_scale) line.skipped_updates = window.skipped_updates;
    return line;
  }

  void show_update() {
    // The mean of one or two batches jumps about: right after a report, the line stands still.
    constexpr std::int64_t kFewExamples = 500;
    const auto live = window_line();
    if (!live ||
        (state_.update > config_.train.log_every && figures_.window().examples < kFewExamples))
      return;
    reporter_.show_update(*live, done_share());
  }

  void report_window() {
    const auto line = window_line();
    if (!line) return;
    reporter_.report(*line, done_share());
    figures_.clear_window();
    window_start_s_ = clock_.total_training_s();
  }

  bool checkpoint_due() const {
    if (plan_.checkpoint_every > 0) return state_.update % plan_.checkpoint_every == 0;
    return plan_.checkpoint_every_s > 0 &&
           run_clock_.elapsed_s() - saved_at_s_ >= plan_.checkpoint_every_s;
  }

  /// Evaluates on the validation rows, saves a checkpoint, reports.
  void end_period() {
    if (state_.update % config_.train.log_every != 0) report_window();  // what is left of it
    fetch_figures();
    HistoryEpoch line{.update = state_.update,
                      .epoch = stream_.epochs_done(),
                      .train_loss = figures_.period().mean_loss(),
                      .train_accuracy = figures_.period().accuracy()};
    const auto start = std::chrono::steady_clock::now();
    const TrainingState before = state_;
    std::optional<Metrics> validation;
    state_.evaluation_due = false;
    if (data_.validation.size() > 0) {
      validation = evaluate_validation();
      if (!validation) {  // a signal cut it short: whoever goes on does all of it
        state_.evaluation_due = true;
        return save();
      }
      line.validation_accuracy = validation->accuracy;
      line.validation_loss = validation->mean_loss;
      line.validation_macro_f1 = validation->macro_f1;
      line.validation_ece = validation->ece;
      line.best = state_.note_evaluation(*validation, config_.train);
      state_.stopped_early = patience_ran_out() && state_.update < plan_.total;
    }
    figures_.clear_period();
    save();
    if (line.best && saved_update_ != state_.update) {  // what is not there cannot be the best
      state_.keep_best_of(before);
      line.best = false;
    }
    clock_.add_evaluation(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    line.time = clock_.take();
    const DeviceMemory memory = device_memory(device_);
    line.memory = {.host_rss = peak_rss_bytes(),
                   .device_allocated = memory.allocated_peak_bytes,
                   .device_reserved = memory.reserved_peak_bytes,
                   .device_used = memory.used_bytes};
    compare_with_baseline(line);
    period_updates_ = 0;
    reset_peak_memory(device_);
    reporter_.report(line, validation ? &*validation : nullptr);
    if (state_.stopped_early) {
      log::info("stopping early: no gain in {} evaluations (train.patience), best at update {}",
                config_.train.patience, state_.best_update);
    }
  }

  /// An epoch's time at the period's pace, and the baseline beside it.
  void compare_with_baseline(HistoryEpoch& line) const {
    if (period_updates_ > 0 && line.time.updates_s() > 0)
      line.epoch_time_s = line.time.updates_s() / static_cast<double>(period_updates_) *
                          static_cast<double>(plan_.updates_per_epoch);
    if (!baseline_) return;
    line.baseline = HistoryBaseline{.model = baseline_->model,
                                    .precision = baseline_->precision,
                                    .batch_size = baseline_->batch_size,
                                    .epoch_time_s = baseline_->epoch_time_s,
                                    .peak_memory_bytes = baseline_->peak_memory_bytes};
    if (line.epoch_time_s) line.baseline->time_ratio = baseline_->epoch_time_s / *line.epoch_time_s;
    if (line.memory.of_training() > 0)
      line.baseline->memory_ratio = static_cast<double>(baseline_->peak_memory_bytes) /
                                    static_cast<double>(line.memory.of_training());
  }

  /// Nothing if a signal asked to stop before it was through.
  std::optional<Metrics> evaluate_validation() {
    const AveragedWeightsScope averaged(updater_.average());
    const EvaluationOptions options{.batch_size = kEvaluationBatch,
                                    .class_count = data_.labels.size(),
                                    .noise_seed = config_.train.seed,
                                    .precision = precision_,
                                    .on_progress = [this](std::int64_t done, std::int64_t total) {
                                      throw_if_stopped();
                                      reporter_.show_evaluation(done, total);
                                    }};
    try {
      return evaluate(classifier_, data_.validation, options).metrics;
    } catch (const Stopped&) {
      return std::nullopt;
    }
  }

  /// A checkpoint that cannot be written is a warning: the next one may be (`saved_update_` tells).
  void save() {
    fetch_figures();
    state_.elapsed_s = run_clock_.elapsed_s();
    state_.period = figures_.period();
    state_.recent = figures_.recent();
    saved_at_s_ = state_.elapsed_s;
    try {
      checkpointer_.save(state_, {.config = config_,
                                  .data = data_,
                                  .classifier = classifier_,
                                  .model_tensors = updater_.model_tensors(),
                                  .training_tensors = updater_.training_tensors(),
                                  .schedule = plan_.schedule});
      saved_update_ = state_.update;
      save_problem_.clear();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      save_problem_ = error.what();
      log::warning(
          "The checkpoint of update {} was not written: {} The training goes on, {}; the next one "
          "is tried in its turn.",
          state_.update, save_problem_,
          saved_update_ ? "the one of update " + std::to_string(*saved_update_) + " stays"
                        : "without one so far");
    }
  }

  /// The end of a run whose last checkpoint could not be written.
  std::string unsaved_text() const {
    const std::string kept =
        saved_update_
            ? fmt::format("The last one is {}. Go on from it with: diffuse train --resume {}",
                          checkpointer_.folder(*saved_update_).string(),
                          checkpointer_.run_directory().string())
            : "There is none.";
    return fmt::format("The checkpoint at the end, of update {}, was not written: {}\n{}",
                       state_.update, save_problem_, kept);
  }

  TrainingResult make_result() const {
    return {.updates = state_.update,
            .best_update = state_.best_update,
            .best_accuracy = state_.best_accuracy,
            .stopped_early = state_.stopped_early,
            .stopped_by_signal = stop_signal(),
            .training_time_s = run_clock_.elapsed_s(),
            .last_checkpoint = checkpointer_.folder(*saved_update_),
            .best_checkpoint =
                checkpointer_.folder(state_.has_best ? state_.best_update : *saved_update_)};
  }

  const Config& config_;
  const TrainingData& data_;
  Classifier& classifier_;
  TrainingPlan plan_;
  at::Device device_;
  Precision precision_;
  Updater updater_;
  BatchStream stream_;
  Checkpointer checkpointer_;
  Reporter reporter_;
  StepClock clock_;
  std::optional<BaselineFigures> baseline_;
  std::int64_t period_updates_ = 0;  // by this process since the last evaluation
  RunClock run_clock_;
  RunningFigures figures_;
  TrainingState state_;
  double learning_rate_ = 0;  // of the last update
  std::optional<std::int64_t> saved_update_;
  std::string save_problem_;  // why the last checkpoint was not written; empty: it was
  double saved_at_s_ = 0;
  double window_start_s_ = 0;
};

}  // namespace

TrainingResult train(const Config& config, const TrainingData& data, Classifier& classifier,
                     const fs::path& run_dir, const std::optional<fs::path>& resume_from,
                     const std::optional<BaselineFigures>& baseline) {
  return Trainer(config, data, classifier, run_dir, resume_from, baseline).run();
}

}  // namespace diffuse
