#include "diffuse/train/trainer.hpp"

#include <fmt/core.h>

#include <chrono>
#include <optional>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/data/sampler.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/train/checkpointer.hpp"
#include "diffuse/train/plan.hpp"
#include "diffuse/train/time_split.hpp"
#include "reporter.hpp"
#include "running_figures.hpp"
#include "updater.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kEvaluationBatch = 256;

at::Device move_to_device(const Config& config, Classifier& classifier) {
  const at::Device device = resolve_device(config.train.device);
  classifier.to(device);
  return device;
}

class Trainer {
 public:
  Trainer(const Config& config, const TrainingData& data, Classifier& classifier,
          const std::filesystem::path& run_dir)
      : config_(config),
        data_(data),
        classifier_(classifier),
        plan_(make_plan(config.train, data.train.size())),
        device_(move_to_device(config, classifier)),
        updater_(config.train, classifier),
        checkpointer_(run_dir, config.train.keep_checkpoints),
        reporter_(run_dir, plan_.total),
        clock_(device_, config.train.log_every) {
    if (data.validation.size() == 0)
      log::info("no validation rows: no checkpoint is the best, the last one is the result");
    if (const std::string problem = warmup_problem(config.train, plan_); !problem.empty())
      log::warning("{}", problem);
    reset_peak_memory(device_);
  }

  TrainingResult run() {
    while (state_.update < plan_.total && stop_signal() == 0 && !stopped_early_) {
      train_update();
      if (state_.update % config_.train.log_every == 0) report_window();
      if (state_.update % plan_.evaluate_every == 0 || state_.update == plan_.total) end_period();
    }
    if (stop_signal() != 0) {
      log::warning("signal {}: stopping after update {}", stop_signal(), state_.update);
      if (saved_update_ != state_.update) save();
    } else if (!saved_update_) {
      end_period();  // a run of length 0
    }
    return finish();
  }

 private:
  double epochs_done() const {
    return static_cast<double>(state_.update) / static_cast<double>(plan_.updates_per_epoch);
  }

  Batch next_batch() {
    if (batches_epoch_ != state_.epoch) {
      batches_ = epoch_batches(data_.train,
                               {.batch_size = config_.train.batch_size,
                                .sort_window = config_.train.sort_window,
                                .seed = config_.train.seed},
                               state_.epoch);
      batches_epoch_ = state_.epoch;
    }
    const auto& rows = batches_[static_cast<std::size_t>(state_.position)];
    return make_batch(pack_rows(*data_.train.data, rows), device_);
  }

  void train_update() {
    clock_.begin_update();
    const double learning_rate = learning_rate_at(plan_.schedule, state_.update);
    const Batch batch = next_batch();
    figures_.add(updater_.apply(batch, ++state_.update, learning_rate, clock_));
    clock_.end_update();
    if (++state_.position == static_cast<std::int64_t>(batches_.size())) {
      state_.position = 0;
      ++state_.epoch;
    }
    if (device_.is_cpu()) fetch_figures();
    if (reporter_.wants_update()) show_update();
  }

  void fetch_figures() {
    try {
      figures_.drain();
    } catch (const TrainingError& error) {
      throw TrainingError(
          fmt::format("{} {}", error.what(),
                      saved_update_ ? fmt::format("The last good checkpoint is {}.",
                                                  checkpointer_.folder(*saved_update_).string())
                                    : "No checkpoint had been written yet."));
    }
  }

  /// The figures since the last report; nothing right after one.
  std::optional<TrainReport> window_report() {
    fetch_figures();
    const FigureSums& window = figures_.window();
    if (!window.mean_loss()) return std::nullopt;
    const double seconds = clock_.total_training_s() - window_start_s_;
    return TrainReport{
        .update = state_.update,
        .epoch = epochs_done(),
        .loss = *window.mean_loss(),
        .learning_rate = learning_rate_at(plan_.schedule, state_.update - 1),
        .gradient_norm = figures_.last_gradient_norm(),
        .tokens_per_s = seconds > 0 ? static_cast<double>(window.tokens) / seconds : 0};
  }

  void show_update() {
    // The mean of one or two batches jumps about: right after a report, the line stands still.
    constexpr std::int64_t kFewExamples = 500;
    const auto live = window_report();
    if (!live ||
        (state_.update > config_.train.log_every && figures_.window().examples < kFewExamples))
      return;
    reporter_.show_update(*live);
  }

  void report_window() {
    const auto report = window_report();
    if (!report) return;
    reporter_.report(*report);
    figures_.clear_window();
    window_start_s_ = clock_.total_training_s();
  }

  /// Evaluates on the validation rows, saves a checkpoint, reports.
  void end_period() {
    if (state_.update % config_.train.log_every != 0) report_window();  // what is left of it
    fetch_figures();
    PeriodReport report{.update = state_.update,
                        .epoch = epochs_done(),
                        .train_loss = figures_.period().mean_loss(),
                        .train_accuracy = figures_.period().accuracy()};
    const auto start = std::chrono::steady_clock::now();
    if (data_.validation.size() > 0) report.validation = evaluate_validation();
    if (report.validation) {
      report.best =
          state_.note_evaluation(report.validation->accuracy, report.validation->mean_loss);
    }
    save();
    clock_.add_evaluation(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    report.time = clock_.take();
    report.peak_rss_bytes = peak_rss_bytes();
    report.device_memory = device_memory(device_);
    reset_peak_memory(device_);
    figures_.clear_period();
    reporter_.report(report);
    const std::int64_t patience = config_.train.patience;
    if (patience > 0 && state_.evaluations_without_gain >= patience &&
        state_.update < plan_.total) {
      stopped_early_ = true;
      log::info("stopping early: no gain in {} evaluations (train.patience), best at update {}",
                patience, state_.best_update);
    }
  }

  /// Nothing if a signal asked to stop before it was through.
  std::optional<Metrics> evaluate_validation() {
    const AveragedWeightsScope averaged(updater_.average());
    const EvaluationOptions options{.batch_size = kEvaluationBatch,
                                    .class_count = data_.labels.size(),
                                    .noise_seed = config_.train.seed,
                                    .on_progress = [this](std::int64_t done, std::int64_t total) {
                                      if (stop_signal() != 0) throw Stopped(stop_signal());
                                      reporter_.show_evaluation(done, total);
                                    }};
    try {
      return evaluate(classifier_, data_.validation, options).metrics;
    } catch (const Stopped&) {
      return std::nullopt;
    }
  }

  void save() {
    fetch_figures();
    checkpointer_.save(state_, {.config = config_,
                                .data = data_,
                                .classifier = classifier_,
                                .model_tensors = updater_.model_tensors(),
                                .training_tensors = updater_.training_tensors(),
                                .schedule = plan_.schedule});
    saved_update_ = state_.update;
  }

  TrainingResult finish() {
    const TrainingResult result{.updates = state_.update,
                                .best_update = state_.best_update,
                                .best_accuracy = state_.best_accuracy,
                                .stopped_early = stopped_early_,
                                .stopped_by_signal = stop_signal(),
                                .training_time_s = reporter_.elapsed_s(),
                                .last_checkpoint = checkpointer_.folder(*saved_update_),
                                .best_checkpoint = checkpointer_.folder(
                                    state_.has_best ? state_.best_update : *saved_update_)};
    reporter_.report(DoneReport{
        .updates = result.updates,
        .training_time_s = result.training_time_s,
        .best_update = result.best_update,
        .best_accuracy = state_.has_best ? std::optional(result.best_accuracy) : std::nullopt,
        .stopped_early = result.stopped_early,
        .stopped_by_signal = result.stopped_by_signal});
    return result;
  }

  const Config& config_;
  const TrainingData& data_;
  Classifier& classifier_;
  TrainingPlan plan_;
  at::Device device_;
  Updater updater_;
  Checkpointer checkpointer_;
  Reporter reporter_;
  StepClock clock_;
  RunningFigures figures_;
  TrainingState state_;
  std::vector<std::vector<std::uint32_t>> batches_;
  std::int64_t batches_epoch_ = -1;
  std::optional<std::int64_t> saved_update_;
  bool stopped_early_ = false;
  double window_start_s_ = 0;
};

}  // namespace

TrainingResult train(const Config& config, const TrainingData& data, Classifier& classifier,
                     const std::filesystem::path& run_dir) {
  return Trainer(config, data, classifier, run_dir).run();
}

}  // namespace diffuse
