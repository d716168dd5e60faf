#include "train.hpp"

#include <fmt/core.h>

#include <filesystem>

#include "autotune.hpp"
#include "bench_contenders.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/bench/baseline.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "diffuse/train/trainer.hpp"
#include "diffuse/train/way_on.hpp"
#include "exit_code.hpp"
#include "fold_plan.hpp"
#include "folds.hpp"
#include "manifest.hpp"
#include "output.hpp"
#include "prepared_run.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"
#include "startup_table.hpp"
#include "train_config.hpp"
#include "train_result.hpp"
#include "train_run.hpp"
#include "tuning_journal.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kBaselineFile = "baseline.json";

/// What a resumed run has measured of the baseline; empty: nothing yet.
fs::path measured_baseline(const TrainOptions& options) {
  if (options.resume.empty()) return {};
  fs::path file = fs::path(options.resume) / kBaselineFile;
  std::error_code ignored;
  return fs::exists(file, ignored) ? file : fs::path();
}

/// Before the rows are read: the baseline's process would find none left.
void check_baseline_rows(const TrainOptions& options, const Config& config) {
  if (options.baseline.empty() || !config.data.train.from_stdin()) return;
  if (!measured_baseline(options).empty()) return;
  throw UsageError(
      "--baseline is measured by a process of its own, which reads the training rows again, but "
      "data.train is stdin, which can be read once; expected a file (--train FILE).");
}

/// Measures the baseline, or, where a resumed run has done so, reads what it found.
std::optional<BaselineFigures> baseline_of(const TrainOptions& options, const Config& config) {
  constexpr double kLimit_s = 60;
  if (const fs::path file = measured_baseline(options); !file.empty())
    return parse_baseline(read_file(file), file.string());
  if (options.baseline.empty()) return std::nullopt;
  Config baseline = distilbert_baseline(config);
  baseline.train.batch_size = config.train.batch_size;
  baseline.train.sort_window = config.train.sort_window;
  baseline.train.seed = config.train.seed;
  baseline.train.device = config.train.device;
  baseline.train.threads = config.train.threads;
  log::info("measuring DistilBERT on the same rows, for at most {}", format_duration(kLimit_s));
  const BaselineFigures figures = probe_baseline(baseline, "DistilBERT", kLimit_s);
  log::info("  DistilBERT: {} an epoch in {}, {} (random weights, batches of {}, {} steps timed)",
            format_duration(figures.epoch_time_s), figures.precision,
            format_bytes(static_cast<double>(figures.peak_memory_bytes)), figures.batch_size,
            figures.steps);
  return figures;
}

/// What was trained stands in the run directory, whether or not somebody reads the summary.
void write_result(const std::string& text) {
  if (!write_if_read(text))
    log::warning("Nobody reads stdout any more; the summary was not written.");
}

/// What would let a finished run go on.
std::string way_beyond(const TrainingResult& result, const Config& config) {
  if (config.model.type == ModelType::diffusion && config.model.dim == 0)
    return "it is of n-grams alone (model.dim = 0), which are trained once";
  if (result.stopped_early)
    return fmt::format(
        "it ended early by train.patience = {}: a greater one goes on, or none: --set "
        "train.patience=0",
        config.train.patience);
  if (config.train.max_updates > 0 && result.updates >= config.train.max_updates)
    return "it ends at train.max_updates: --set train.max_updates=0 goes on to train.length";
  return "a greater train.length goes on: --set train.length=...";
}

/// What there is to say of a run that has nothing left to do.
void tell_finished(const TrainingResult& result, const Config& config) {
  log::info("The run is finished: {} updates{}. Nothing is left to do; {}",
            format_count(result.updates),
            result.best_update > 0 ? ", best at " + format_count(result.best_update) : "",
            way_beyond(result, config));
}

/// Flags of a search that something else on the command line leaves no room for.
void check_tuning_flags(const TrainOptions& options) {
  if (options.autotune.empty()) return;
  if (!options.resume.empty())
    throw UsageError(
        "--resume goes on with the search that the run has; --autotune cannot stand beside it.");
  if (options.folds > 0)
    throw UsageError(
        "--autotune searches a configuration and --folds measures one; give one of them: the run's "
        "config.json can be cross-validated afterwards (on rows that chose it, so it will "
        "flatter).");
  if (!options.baseline.empty())
    throw UsageError(
        "--baseline is measured beside one training; --autotune cannot stand beside it.");
}

/// Flags of a cross-validation that something else on the command line leaves no room for.
void check_fold_flags(const TrainOptions& options) {
  const bool given = options.folds > 0 || options.ensemble;
  if (options.ensemble && options.folds == 0 && options.resume.empty())
    throw UsageError("--ensemble keeps the models of --folds K; give that, too.");
  if (given && !options.resume.empty())
    throw UsageError(
        "--resume goes on with the folds that the run has; --folds and --ensemble cannot stand "
        "beside it.");
  if (given && !options.baseline.empty())
    throw UsageError("--baseline is measured beside one training; --folds cannot stand beside it.");
}

}  // namespace

int run_train(const TrainOptions& options) {
  log::hold_for_file();
  ignore_write_signals();  // nor does a reader of the log that is gone, or a full disk, end a run
  catch_checkpoint_signals();
  const std::string start_time = utc_now();
  check_fold_flags(options);
  check_tuning_flags(options);
  if (options.folds > 0 || (!options.resume.empty() && read_fold_settings(options.resume)))
    return run_folds(options, start_time);
  if (!options.autotune.empty() || (!options.resume.empty() && is_tuning(options.resume)))
    return run_autotuned(options, start_time);
  const Config config = checked_config(options);
  check_baseline_rows(options, config);
  PreparedRun run = prepare_run(config, {.resumed = options.resume, .dry_run = options.dry_run});
  if (options.dry_run) {
    write_output((options.json ? startup_json : startup_table)(run.config, run.data, run.startup));
    return kDone;
  }

  catch_stop_signals();
  // Before there is a folder: whoever stops it then leaves none behind. Later there is a
  // checkpoint.
  const std::optional<BaselineFigures> baseline = baseline_of(options, run.config);
  const bool resumed = !options.resume.empty();
  const fs::path run_dir =
      resumed ? fs::path(options.resume)
              : create_run_directory(options.out,
                                     run_name(options.config, run.config.data.train.first()),
                                     options.overwrite);
  const RunLock lock(run_dir);
  const RunFacts facts = facts_of(run, options, start_time);
  const std::string before = resumed ? read_file(run_dir / "config.json") : std::string();
  if (resumed) {
    warn_of_incomplete_last(run_dir);
    resume_run_directory(run_dir, run, facts);
  } else {
    clear_run_directory(run_dir, options.overwrite);
    start_run_directory(run_dir, run, facts);
  }
  write_or_warn("The run goes on without train.log",
                [&] { log::open_file((run_dir / "train.log").string()); });
  if (baseline) {
    write_or_warn("A resume will measure the baseline anew", [&] {
      write_file_atomically(run_dir / kBaselineFile, baseline_json(*baseline) + "\n");
    });
  }
  return train_and_tell(run, run_dir, options, baseline, before);
}

int train_and_tell(PreparedRun& run, const fs::path& run_dir, const TrainOptions& options,
                   const std::optional<BaselineFigures>& baseline,
                   const std::string& config_before) {
  run.startup.run_directory = relative_if_shorter(run_dir);
  log::info("Training\n{}", startup_table(run.config, run.data, run.startup));
  warn_of_memory(run.estimate, run.device);
  const std::optional<TuningSettings> tuned = read_tuning_settings(run_dir);
  const std::string changes = tuned ? tuned->changes : "";
  RunOutcome outcome;
  with_way_on([&] { return way_on_from(run_dir, "train"); },
              [&] { outcome = train_run(run, run_dir, baseline); });
  const auto& [result, evaluated, rehearsed, rehearsal_updates, stopped_by] = outcome;
  if (stopped_by != 0 && result.last_checkpoint.empty()) {
    log::warning("Stopped by {}. {}", signal_name(stopped_by), way_on_from(run_dir, "train"));
    return kSignalBase + stopped_by;
  }
  if (stopped_by != 0) return tell_stopped(stopped_by, result, run_dir);
  if (result.was_finished && !config_before.empty())
    restore_config(run_dir, config_before, run.config, evaluated.has_value());
  if (result.was_finished && !evaluated) {
    tell_finished(result, run.config);
    if (options.json) {
      const bool tested = fs::exists(run_dir / "test.json");
      write_result(training_summary_json(result, run.data,
                                         tested ? read_file(run_dir / "test.json") : std::string(),
                                         rehearsed, run_dir, changes));
    }
    return kDone;
  }
  const std::string text =
      training_summary(result, run.data, evaluated, rehearsed, run_dir, changes);
  log::debug("Result\n{}", text);
  write_result(options.json
                   ? training_summary_json(result, run.data,
                                           evaluated && run.data.test.size() > 0
                                               ? evaluation_json(*evaluated, run.data.labels)
                                               : std::string(),
                                           rehearsed, run_dir, changes)
                   : text);
  log::close_file();
  return kDone;
}

}  // namespace diffuse::cli
