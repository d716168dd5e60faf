#include "train.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <functional>

#include "bench_contenders.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/bench/baseline.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/initial_vectors.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "diffuse/train/trainer.hpp"
#include "exit_code.hpp"
#include "manifest.hpp"
#include "output.hpp"
#include "prepared_run.hpp"
#include "run_directory.hpp"
#include "run_lock.hpp"
#include "run_ngrams.hpp"
#include "run_report.hpp"
#include "startup_table.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kBaselineFile = "baseline.json";

/// Writes down what a new run is made of.
void start_run_directory(const fs::path& run_dir, const PreparedRun& run, const RunFacts& facts) {
  write_file_atomically(run_dir / "config.json", config_json(run.config) + "\n");
  write_file_atomically(run_dir / "manifest.json", manifest_json(facts, run.config));
}

/// Runs `write`, which writes a file of the run's: a failure is a warning that begins with `what`.
void write_or_warn(const char* what, const std::function<void()>& write) {
  try {
    write();
  } catch (const SystemError& error) {
    log::warning("{}: {}", what, error.what());
  }
}

/// Checks that the run's data are still the same and notes who goes on with it, and with what: on a
/// full disk it goes on unnoted.
void resume_run_directory(const fs::path& run_dir, const PreparedRun& run, const RunFacts& facts) {
  const fs::path manifest = run_dir / "manifest.json";
  const std::string noted = resumed_manifest_json(manifest, facts, run.config);
  write_or_warn("A further resume will take the run's configuration from before this one", [&] {
    write_file_atomically(run_dir / "config.json", config_json(run.config) + "\n");
  });
  write_or_warn("The run's manifest does not tell of this resume",
                [&] { write_file_atomically(manifest, noted); });
}

/// Measures the baseline, or, where a resumed run has done so, reads what it found.
std::optional<BaselineFigures> baseline_of(const TrainOptions& options, const Config& config) {
  constexpr double kLimit_s = 60;
  const fs::path file = fs::path(options.resume) / kBaselineFile;
  std::error_code ignored;
  if (!options.resume.empty() && fs::exists(file, ignored))
    return parse_baseline(read_file(file), file.string());
  if (options.baseline.empty()) return std::nullopt;
  Config baseline = distilbert_baseline(config, "");
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

void report_without_evaluation(const PreparedRun& run, const fs::path& run_dir) {
  std::error_code ignored;
  if (fs::exists(run_dir / "metrics.jsonl", ignored))
    write_run_report(run_dir, run.config, run.data, nullptr, {}, "");
}

/// Tests the best checkpoint once, where there are test rows, and writes `test.json`, or else
/// evaluates it on the validation rows; writes `report.html` with that. Nothing without rows.
std::optional<Evaluation> finish_run(const PreparedRun& run, const TrainingResult& result,
                                     const std::optional<RunNgrams>& ngrams,
                                     const fs::path& run_dir) {
  const bool has_test = run.data.test.size() > 0;
  const DatasetView& view = has_test ? run.data.test : run.data.validation;
  if (view.size() == 0) {
    report_without_evaluation(run, run_dir);
    return std::nullopt;
  }
  const DataSummary& summary = run.data.summary;
  Evaluation evaluation = evaluate_checkpoint(
      result.best_checkpoint, view, has_test ? summary.test : summary.validation,
      run.data.facts.class_rows, run.device, run.precision, has_test ? "testing" : "evaluating",
      ngrams ? (has_test ? ngrams->test_logits : ngrams->validation_logits) : std::vector<float>());
  if (has_test) {
    write_or_warn("The test figures are on stdout alone", [&] {
      write_file_atomically(run_dir / "test.json",
                            evaluation_json(evaluation, run.data.labels) + "\n");
    });
  }
  write_run_report(run_dir, run.config, run.data, &evaluation, view,
                   has_test ? "test" : "validation");
  warn_of_figures(evaluation.metrics, run.data.labels, has_test ? "test" : "validation");
  return evaluation;
}

int stopped(int signal, const TrainingResult& result, const fs::path& run_dir) {
  log::warning(
      "Stopped by {} after {} updates{}; the last checkpoint is {}. Go on with:\n  diffuse "
      "train --resume {}",
      signal_name(signal), format_count(result.updates),
      result.stopped_by_signal == 0 ? ", in the final evaluation" : "",
      relative_if_shorter(result.last_checkpoint), shell_quoted(relative_if_shorter(run_dir)));
  return kSignalBase + signal;
}

/// What was trained stands in the run directory, whether or not somebody reads the summary.
void write_result(const std::string& text) {
  if (!write_if_read(text))
    log::warning("Nobody reads stdout any more; the summary was not written.");
}

/// What there is to say of a run that has nothing left to do.
void tell_finished(const TrainingResult& result, const TrainConfig& config) {
  const bool cut = config.max_updates > 0 && result.updates >= config.max_updates;
  log::info("The run is finished: {} updates{}. Nothing is left to do; {}",
            format_count(result.updates),
            result.best_update > 0 ? ", best at " + format_count(result.best_update) : "",
            cut ? "it ends at train.max_updates: --set train.max_updates=0 goes on to train.length"
                : "a greater train.length goes on: --set train.length=...");
}

}  // namespace

int run_train(const TrainOptions& options) {
  log::hold_for_file();
  ignore_write_signals();  // nor does a reader of the log that is gone, or a full disk, end a run
  catch_checkpoint_signals();
  const std::string start_time = utc_now();
  PreparedRun run = prepare_run(options);
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
              : create_run_directory(options.out, run_name(options.config, run.config.data.train),
                                     options.overwrite);
  const RunLock lock(run_dir);
  const RunFacts facts = facts_of(run, options, start_time);
  if (resumed) {
    warn_of_incomplete_last(run_dir);
    resume_run_directory(run_dir, run, facts);
  } else {
    clear_run_directory(run_dir, options.overwrite);
    start_run_directory(run_dir, run, facts);
  }
  write_or_warn("The run goes on without train.log",
                [&] { log::open_file((run_dir / "train.log").string()); });
  run.startup.run_directory = relative_if_shorter(run_dir);
  log::info("Training\n{}", startup_table(run.config, run.data, run.startup));
  warn_of_memory(run.estimate, run.device);

  if (baseline) {
    write_or_warn("A resume will measure the baseline anew", [&] {
      write_file_atomically(run_dir / kBaselineFile, baseline_json(*baseline) + "\n");
    });
  }
  std::optional<EarlierTest> earlier(std::in_place, run_dir);
  TrainingResult result;
  std::optional<RunNgrams> ngrams;
  try {
    with_memory_advice(run.config, run.estimate, [&] {
      const std::unique_ptr<Classifier> classifier =
          make_classifier(run.config, run.shape, run.config.train.seed);
      if (run.config.model.type == ModelType::torchscript && classifier->parameters().empty())
        throw UsageError(fmt::format(
            "{}: the module has no parameters to train (torch.jit.freeze takes them away).",
            run.config.model.file));
      if (!resumed) load_pretrained_weights(*classifier, run.config);
      if (run.vectors) start_from_vectors(*classifier, *run.vectors, run.config.model);
      run.vectors.reset();
      const auto resume_from = resumed ? std::optional(last_checkpoint(run_dir)) : std::nullopt;
      ngrams = make_run_ngrams(run, resume_from);
      result = train(run.config, run.data, *classifier, run_dir, resume_from, baseline,
                     ngrams ? &*ngrams : nullptr);
    });
  } catch (const TrainingError&) {
    report_without_evaluation(run, run_dir);
    throw;
  } catch (const SystemError& error) {  // the last checkpoint could not be written
    report_without_evaluation(run, run_dir);
    if (stop_signal() == 0) throw;
    log::error("{}", error.what());
    return kSignalBase + stop_signal();
  }
  earlier->tell();
  if (result.was_finished) earlier.reset();  // test.json has its name back
  if (result.stopped_by_signal != 0) {
    report_without_evaluation(run, run_dir);
    return stopped(result.stopped_by_signal, result, run_dir);
  }
  const bool tested = fs::exists(run_dir / "test.json");
  if (result.was_finished && (tested || run.data.test.size() == 0)) {
    tell_finished(result, run.config.train);
    if (options.json) {
      write_result(training_summary_json(
          result, run.data, tested ? read_file(run_dir / "test.json") : std::string(), run_dir));
    }
    return kDone;
  }
  std::optional<Evaluation> evaluated;
  try {
    with_memory_advice(run.config, run.estimate,
                       [&] { evaluated = finish_run(run, result, ngrams, run_dir); });
  } catch (const Stopped& stop) {
    report_without_evaluation(run, run_dir);
    return stopped(stop.signal, result, run_dir);
  }
  const std::string text = training_summary(result, run.data, evaluated, run_dir);
  log::debug("Result\n{}", text);
  write_result(options.json
                   ? training_summary_json(result, run.data,
                                           evaluated && run.data.test.size() > 0
                                               ? evaluation_json(*evaluated, run.data.labels)
                                               : std::string(),
                                           run_dir)
                   : text);
  log::close_file();
  return kDone;
}

}  // namespace diffuse::cli
