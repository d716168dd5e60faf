#include "folds.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/train/way_on.hpp"
#include "ensemble.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "fold_plan.hpp"
#include "fold_result.hpp"
#include "output.hpp"
#include "prepared_run.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"
#include "startup_table.hpp"
#include "subrun.hpp"
#include "train_config.hpp"
#include "train_result.hpp"
#include "train_run.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

Config folded_config(const TrainOptions& options) {
  Config config = checked_config(options);
  if (!config.data.label_separator.empty())
    throw UsageError(
        "--folds: texts of several labels (data.label_separator) are not cross-validated; "
        "--test-fraction tests them once.");
  return config;
}

class CrossValidationRun {
 public:
  CrossValidationRun(const TrainOptions& options, const std::string& start_time)
      : options_(options),
        start_time_(start_time),
        config_(folded_config(options)),
        resumed_(!options.resume.empty()),
        settings_(resumed_ ? read_fold_settings(options.resume).value()
                           : FoldSettings{options.folds, options.ensemble}),
        plan_(config_, settings_.folds) {}

  int run() {
    if (!resumed_ ||
        options_.dry_run) {  // before there is a folder: data that are refused leave none behind
      const RowParts parts = plan_.parts(0);
      first_.emplace(prepare_run(config_, {.dry_run = options_.dry_run, .parts = &parts}));
    }
    if (options_.dry_run) {
      const PreparedRun& run = first_.value();
      write_output(
          (options_.json ? startup_json : startup_table)(run.config, run.data, run.startup));
      return kDone;
    }
    catch_stop_signals();
    run_dir_ = resumed_ ? fs::path(options_.resume)
                        : create_run_directory(
                              options_.out, run_name(options_.config, config_.data.train.first()),
                              options_.overwrite);
    const RunLock lock(run_dir_);
    if (!resumed_) {
      clear_run_directory(run_dir_, options_.overwrite);
      write_fold_settings(run_dir_, settings_);
    }
    write_or_warn("The run goes on without train.log",
                  [&] { log::open_file((run_dir_ / "train.log").string()); });
    int code = kDone;
    with_way_on(
        [&] {
          return fmt::format(
              "Finished folds stay as they are. Go on with:\n  diffuse train --resume {}",
              shell_quoted(relative_if_shorter(run_dir_)));
        },
        [&] { code = train_folds(); });
    return code;
  }

 private:
  int train_folds() {
    std::vector<FoldAnswers> answers;
    for (std::int64_t fold = 0; fold < plan_.folds(); ++fold) {
      std::optional<FoldAnswers> own = answer_fold(fold);
      if (!own) return stopped();
      answers.push_back(*std::move(own));
    }
    CrossValidation result = cross_validation(plan_, answers);
    answers.clear();
    try {
      if (settings_.ensemble) result.ensemble = test_ensemble();
    } catch (const Stopped&) {
      return stopped();
    }
    finish(result);
    return kDone;
  }

  /// Nothing where a signal ended it.
  std::optional<FoldAnswers> answer_fold(std::int64_t fold) {
    const fs::path dir = fold_directory(run_dir_, fold);
    const std::int64_t rows = std::ssize(plan_.labels(fold));
    if (auto done = read_fold_answers(dir, rows, plan_.rows().names.size())) {
      log::info("fold {} of {}: done before", fold + 1, plan_.folds());
      return done;
    }
    const RowParts parts = plan_.parts(fold);
    std::optional<PreparedRun> ready = std::exchange(first_, std::nullopt);
    const std::optional<RunOutcome> outcome =
        train_in(dir, config_,
                 {.name = fmt::format("Fold {} of {}", fold + 1, plan_.folds()),
                  .options = options_,
                  .start_time = start_time_,
                  .parts = &parts,
                  .ready = ready ? &*ready : nullptr,
                  .prepared = [this](const PreparedRun& run, const RunFacts& facts) {
                    note_run(run, facts);
                  }});
    if (!outcome) return std::nullopt;
    FoldAnswers answers{.scores = outcome->evaluated.value().probabilities,
                        .training_time_s = outcome->result.training_time_s};
    write_fold_answers(dir, answers);
    if (!settings_.ensemble) remove_checkpoints(dir);
    return answers;
  }

  /// Writes down, with the first fold, what the whole is made of; a run that goes on is checked to
  /// be on the same data.
  void note_run(const PreparedRun& run, const RunFacts& facts) {
    if (std::exchange(noted_, true)) return;
    if (resumed_ && fs::exists(run_dir_ / "manifest.json"))
      resume_run_directory(run_dir_, run, facts);
    else
      start_run_directory(run_dir_, run, facts);
  }

  /// What the models answer together on the test rows; nothing without any.
  std::optional<Evaluation> test_ensemble() {
    const bool part = !plan_.test_rows().empty();
    const InputFiles file = part ? config_.data.train : InputFiles(config_.data.test);
    if (file.empty()) return std::nullopt;
    ModelOptions model;
    model.device = config_.train.device;
    model.threads = config_.train.threads;
    model.precision = config_.train.precision;
    Labels labels;
    const Evaluation evaluation = evaluate_ensemble(
        ensemble_members(run_dir_), model,
        [&](OpenedModel& opened) {
          return evaluate_file(opened, file, part ? &plan_.test_rows() : nullptr, model.batch_size);
        },
        labels);
    write_or_warn("The test figures are on stdout alone", [&] {
      write_file_atomically(run_dir_ / "test.json", evaluation_json(evaluation, labels) + "\n");
    });
    warn_of_figures(evaluation.metrics, labels, "test");
    return evaluation;
  }

  void finish(const CrossValidation& result) {
    const Labels& labels = plan_.rows().names;
    write_out_of_fold(run_dir_ / "predictions.jsonl", config_.data, plan_, result);
    const std::string json = cross_validation_json(result, labels, run_dir_);
    write_file_atomically(run_dir_ / "cross-validation.json", json);
    warn_of_figures(result.all, labels, "cross-validated");
    const std::string text = cross_validation_text(result, labels, run_dir_);
    log::debug("Result\n{}", text);
    if (!write_if_read(options_.json ? json : text))
      log::warning("Nobody reads stdout any more; the summary was not written.");
    log::close_file();
  }

  int stopped() const {
    log::warning(
        "Stopped by {}; finished folds stay as they are. Go on with:\n  diffuse train "
        "--resume {}",
        signal_name(stop_signal()), shell_quoted(relative_if_shorter(run_dir_)));
    return kSignalBase + stop_signal();
  }

  const TrainOptions& options_;
  const std::string& start_time_;
  Config config_;
  bool resumed_;
  FoldSettings settings_;
  FoldPlan plan_;
  std::optional<PreparedRun> first_;  // the first fold's run of a fresh one, until it begins
  fs::path run_dir_;
  bool noted_ = false;
};

}  // namespace

int run_folds(const TrainOptions& options, const std::string& start_time) {
  return CrossValidationRun(options, start_time).run();
}

}  // namespace diffuse::cli
