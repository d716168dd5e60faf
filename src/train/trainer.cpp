#include "diffuse/train/trainer.hpp"

#include <ATen/Parallel.h>

#include <optional>
#include <string>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/deterministic.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/model/checkpoint_manifest.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/train/confidence.hpp"
#include "diffuse/train/plan.hpp"
#include "divergence_text.hpp"
#include "period_line.hpp"
#include "reporter.hpp"
#include "run_checkpoints.hpp"
#include "run_progress.hpp"
#include "training_steps.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

at::Device move_to_device(const Config& config, Classifier& classifier) {
  const at::Device device = resolve_device(config.train.device);
  if (device.is_cuda()) pin_product_workspace();
  classifier.to(device);
  return device;
}

/// The order of a run: updates, reports, evaluations and checkpoints, until it is over or stopped.
class Trainer {
 public:
  Trainer(const Config& config, const TrainingData& data, Classifier& classifier,
          const fs::path& run_dir, const std::optional<fs::path>& resume_from,
          const std::optional<BaselineFigures>& baseline, const RunNgrams* ngrams)
      : config_(config),
        data_(data),
        classifier_(classifier),
        plan_(plan_of(config, data.train)),
        device_(move_to_device(config, classifier)),
        precision_(resolve_precision(config.train.precision, device_, product_width(config),
                                     /*tell=*/false)),
        progress_(plan_, config.train.patience),
        checkpoints_(run_dir, config.train.keep_checkpoints, plan_),
        reporter_(run_dir, config.train.tensorboard),
        steps_(config, data, classifier, precision_, plan_.schedule, progress_, reporter_),
        baseline_(baseline),
        ngrams_(ngrams) {
    if (ngrams != nullptr) take_ngrams(*ngrams);
    set_matrix_precision(precision_);
    if (resume_from) resume(*resume_from);
    if (const std::string problem = warmup_problem(config.train, plan_); !problem.empty())
      log::warning("{}", problem);
    reset_peak_memory(device_);
  }

  TrainingResult run() {
    try {
      return run_to_the_end();
    } catch (const Diverged& diverged) {
      tell(diverged.divergence);
    }
  }

 private:
  TrainingResult run_to_the_end() {
    if (checkpoints_.last() && progress_.finished(state_) && !is_evaluated())
      state_.evaluation_due = true;
    if (checkpoints_.last() && !state_.evaluation_due && progress_.finished(state_)) {
      TrainingResult result = make_result();
      result.was_finished = true;
      return result;
    }
    if (checkpoints_.last()) {
      log::info("going on after update {}", state_.update);
      steps_.tell_learning_rate();
    }
    reporter_.report(start_line());
    if (state_.evaluation_due) end_period();
    for (bool done = progress_.finished(state_); !done && stop_signal() == 0;
         done = done || state_.stopped_early) {
      steps_.next(state_);
      done = progress_.finished(state_);  // asked once, because time passes: the end is evaluated
      const int asked = take_checkpoint_signal();
      if (done || state_.update % plan_.evaluate_every == 0) {
        end_period();
      } else if (asked != 0 || checkpoints_.due(state_.update, progress_.elapsed_s())) {
        save();
      }
      if (asked != 0 && is_saved())
        log::info("{}: the checkpoint of update {} is written, the training goes on",
                  signal_name(asked), state_.update);
    }
    if (stop_signal() != 0) {
      steps_.report_window();  // of the updates that no later line will speak of
      log::warning("{}: stopping after update {}", signal_name(stop_signal()), state_.update);
      if (!is_saved()) save();
    } else if (!checkpoints_.last() && !checkpoints_.failed()) {
      end_period();  // a run of length 0
    }
    reporter_.report(HistoryDone{
        .updates = state_.update,
        .training_time_s = progress_.elapsed_s(),
        .best_update = state_.has_best ? std::optional(state_.best_update) : std::nullopt,
        .best_accuracy = state_.has_best ? std::optional(state_.best_accuracy) : std::nullopt,
        .stopped_early = state_.stopped_early,
        .stopped_by_signal = stop_signal()});
    if (!is_saved()) throw SystemError(checkpoints_.failure_text(state_.update));
    return make_result();
  }

  /// Whether the checkpoint gone on with was made behind an evaluation, which begins a period. One
  /// of update 0 may be of a run that was stopped before its n-grams were trained.
  bool is_evaluated() const {
    if (data_.validation.size() == 0) return true;
    const bool begins = state_.period.examples == 0 && state_.period.skipped_updates == 0;
    return begins && (state_.update > 0 || state_.has_best);
  }

  void take_ngrams(const RunNgrams& ngrams) {
    const TrainedNgrams& trained = ngrams.branch.trained;
    factors_ = ngrams.branch.factors;
    confidence_ = ngrams.confidence;
    branches_ = {.ngram_logits = ngrams.validation_logits,
                 .factors = trained.factors,  // a resumed run begins where the first did
                 .fit = !trained.factor_is_set};
  }

  void resume(const fs::path& folder) {
    check_checkpoint(folder, CheckpointUse::training);
    state_ = read_training_state(folder / "state.json");
    steps_.resume(folder, state_);
    confidence_ = read_confidence(folder);
    progress_.resume(state_.elapsed_s);
    checkpoints_.resume(state_);
    // Patience may have been raised since.
    state_.stopped_early = state_.stopped_early && progress_.patience_ran_out(state_);
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

  [[noreturn]] void tell(const Divergence& divergence) {
    std::vector<std::uint64_t> rows;
    for (const std::uint32_t row : divergence.rows) rows.push_back(data_.train.data->number(row));
    reporter_.report(
        HistoryDivergence{.update = divergence.update,
                          .loss = divergence.loss,
                          .learning_rate = divergence.learning_rate,
                          .gradient_norm = divergence.gradient_norm,
                          .loss_scale = divergence.loss_scale,
                          .rows = std::vector<std::int64_t>(rows.begin(), rows.end())});
    const std::optional<std::int64_t> last = checkpoints_.last();
    throw TrainingError(divergence_text(
        divergence, config_, rows, last ? checkpoints_.folder(*last).string() : std::string()));
  }

  /// Evaluates on the validation rows, saves a checkpoint, reports.
  void end_period() {
    steps_.report_window();
    const FigureSums& period = steps_.figures().period();
    HistoryEpoch line{.update = state_.update,
                      .epoch = steps_.epochs_done(),
                      .train_loss = period.mean_loss(),
                      .train_accuracy = period.accuracy()};
    const double start_s = steady_now_s();
    const TrainingState before = state_;
    std::optional<Evaluation> validation;
    state_.evaluation_due = false;
    if (data_.validation.size() > 0) {
      {
        AveragedWeightsScope averaged = steps_.updater().use_averages();
        validation = evaluate_validation(
            classifier_, data_, config_.train, precision_, branches_,
            [&](const Batch& batch) {
              const auto rows = classifier_.embedding_rows(batch);
              for (std::size_t table = 0; table < rows.size(); ++table)
                averaged.settle(table, rows[table]);
            },
            [this](std::int64_t done, std::int64_t all) { reporter_.show_evaluation(done, all); });
      }
      if (!validation) {  // a signal cut it short: whoever goes on does all of it
        state_.evaluation_due = true;
        return save();
      }
      add_validation(line, *validation);
      if (validation->branches) factors_ = validation->branches->factors;
      confidence_ = confidence_of(*validation, data_.labels);
      line.best = state_.note_evaluation(validation->metrics, config_.train);
      state_.stopped_early = progress_.patience_ran_out(state_) && state_.update < plan_.total;
    }
    const std::int64_t updates = steps_.period_updates();
    steps_.clear_period();
    save();
    if (line.best && !is_saved()) {  // what is not there cannot be the best
      state_.keep_best_of(before);
      line.best = false;
    }
    steps_.clock().add_evaluation(steady_now_s() - start_s);
    line.time = steps_.clock().take();
    add_memory(line, device_);
    add_epoch_time(line, updates, plan_.updates_per_epoch, baseline_ ? &*baseline_ : nullptr);
    reset_peak_memory(device_);
    reporter_.report(line, validation ? &validation->metrics : nullptr);
    if (validation) tell_missed_classes(validation->metrics, data_.labels, told_missed_);
    if (state_.stopped_early) {
      log::info("stopping early: no gain in {} evaluations (train.patience), best at update {}",
                config_.train.patience, state_.best_update);
    }
  }

  /// What is learnt from the validation rows about when to answer.
  void save() {
    steps_.fetch();
    state_.elapsed_s = progress_.elapsed_s();
    state_.period = steps_.figures().period();
    state_.recent = steps_.figures().recent();
    checkpoints_.save(state_, [this]() -> CheckpointContent {
      return {.config = config_,
              .data = data_,
              .classifier = classifier_,
              .model_tensors = steps_.updater().model_tensors(),
              .rows = steps_.updater().settled_rows(),
              .training_tensors = steps_.updater().training_tensors(),
              .schedule = plan_.schedule,
              .ngrams = ngrams_ == nullptr
                            ? std::nullopt
                            : std::optional(NgramsContent{.vocabulary = ngrams_->branch.vocabulary,
                                                          .trained = ngrams_->branch.trained,
                                                          .factors = factors_}),
              .confidence = confidence_};
    });
  }

  bool is_saved() const { return checkpoints_.last() == state_.update; }

  TrainingResult make_result() const {
    const fs::path last = checkpoints_.folder(*checkpoints_.last());
    return {.updates = state_.update,
            .best_update = state_.best_update,
            .best_accuracy = state_.best_accuracy,
            .stopped_early = state_.stopped_early,
            .stopped_by_signal = stop_signal(),
            .training_time_s = progress_.elapsed_s(),
            .last_checkpoint = last,
            .best_checkpoint = state_.has_best ? checkpoints_.folder(state_.best_update) : last};
  }

  const Config& config_;
  const TrainingData& data_;
  Classifier& classifier_;
  TrainingPlan plan_;
  at::Device device_;
  Precision precision_;
  RunProgress progress_;
  RunCheckpoints checkpoints_;
  Reporter reporter_;
  TrainingSteps steps_;
  std::optional<BaselineFigures> baseline_;
  const RunNgrams* ngrams_;
  BranchFactors factors_;  // of the last evaluation
  std::optional<BranchOptions> branches_;
  Confidence confidence_;  // of the last evaluation
  TrainingState state_;
  std::string told_missed_;  // of the evaluation before
};

}  // namespace

TrainingResult train(const Config& config, const TrainingData& data, Classifier& classifier,
                     const fs::path& run_dir, const std::optional<fs::path>& resume_from,
                     const std::optional<BaselineFigures>& baseline, const RunNgrams* ngrams) {
  return Trainer(config, data, classifier, run_dir, resume_from, baseline, ngrams).run();
}

}  // namespace diffuse
