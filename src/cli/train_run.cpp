#include "train_run.hpp"

#include <c10/util/Exception.h>
#include <fmt/core.h>

#include <memory>
#include <system_error>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/deterministic.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/initial_vectors.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/kernel_text.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "exit_code.hpp"
#include "known_texts.hpp"
#include "manifest.hpp"
#include "pretraining.hpp"
#include "rehearsal.hpp"
#include "run_directory.hpp"
#include "run_ngrams.hpp"
#include "run_report.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

void report_without_evaluation(const PreparedRun& run, const fs::path& run_dir) {
  std::error_code ignored;
  if (run.report && fs::exists(run_dir / "metrics.jsonl", ignored))
    write_run_report(run_dir, run.config, run.data, nullptr);
}

/// The part of `train_run` behind the training; nothing without rows.
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
  const ReportedEvaluation reported = {evaluation, view, has_test ? "test" : "validation",
                                       result.best_checkpoint};
  if (run.report) write_run_report(run_dir, run.config, run.data, &reported);
  warn_of_figures(evaluation.metrics, run.data.labels, has_test ? "test" : "validation");
  return evaluation;
}

/// A fresh model, or one to be filled from a checkpoint.
std::unique_ptr<Classifier> make_run_classifier(PreparedRun& run, bool resumed) {
  std::unique_ptr<Classifier> classifier =
      make_classifier(run.config, run.shape, run.config.train.seed);
  if (run.config.model.type == ModelType::torchscript && classifier->parameters().empty())
    throw UsageError(
        fmt::format("{}: the module has no parameters to train (torch.jit.freeze takes them away).",
                    run.config.model.file));
  if (!resumed) load_pretrained_weights(*classifier, run.config);
  if (run.vectors) start_from_vectors(*classifier, *run.vectors, run.config.model);
  if (!resumed && run.data.facts.rows > 0)
    start_from_log_odds(*classifier, label_log_odds(run.data.facts));
  return classifier;
}

/// Pretrains, where that is wanted. Returns the checkpoint that the training begins with, empty
/// where it begins anew. Throws Stopped where a signal ended it, after its checkpoint is noted in
/// `result`.
fs::path find_start(PreparedRun& run, const fs::path& run_dir, TrainingResult& result) {
  const TrainConfig& train = run.config.train;
  if (!train.pretrain.empty()) {
    result = pretrain(run, run_dir / kPretrainingFolder);
    if (result.stopped_by_signal != 0) throw Stopped(result.stopped_by_signal);
    return result.last_checkpoint;
  }
  return train.init.empty() ? fs::path() : resolve_checkpoint(train.init);
}

/// Whether the training begins with what a classifier has learned of rows that are to say how good
/// it is: those of a rehearsal, or validation rows.
bool begins_with_answers(const PreparedRun& run, const fs::path& start, bool rehearsed) {
  const fs::path vectors = run.vectors ? fs::path(run.config.model.embedding_file) : fs::path();
  for (const fs::path& checkpoint : {start, vectors.parent_path()}) {
    if (checkpoint.empty()) continue;
    const double known = share_known(checkpoint, run.data.facts);
    if (known == 0) continue;
    const std::string part = fmt::format("{:.3g} % of the training texts", 100 * known);
    if (rehearsed)
      log::info("{}: a classifier trained on {}, so the rehearsal begins without it",
                checkpoint.string(), part);
    else if (run.data.validation.size() > 0 && run.config.data.validation.empty())
      log::warning(
          "{}: a classifier trained on {}. Validation rows among them are no measure of this "
          "model: its figures and the n-grams' factor flatter it. Let rows of another file "
          "validate "
          "(data.validation).",
          checkpoint.string(), part);
    return true;
  }
  return false;
}

/// The model that a training begins with.
std::unique_ptr<Classifier> make_started(PreparedRun& run, const fs::path& start) {
  std::unique_ptr<Classifier> classifier = make_run_classifier(run, false);
  if (!start.empty()) begin_with(*classifier, run, start);
  return classifier;
}

}  // namespace

void write_or_warn(const char* what, const std::function<void()>& write) {
  try {
    write();
  } catch (const SystemError& error) {
    log::warning("{}: {}", what, error.what());
  }
}

void start_run_directory(const fs::path& run_dir, const PreparedRun& run, const RunFacts& facts) {
  write_file_atomically(run_dir / "config.json", config_json(run.config) + "\n");
  write_file_atomically(run_dir / "manifest.json", manifest_json(facts, run.config));
}

void resume_run_directory(const fs::path& run_dir, const PreparedRun& run, const RunFacts& facts) {
  const fs::path manifest = run_dir / "manifest.json";
  const std::string noted = resumed_manifest_json(manifest, facts, run.config);
  write_or_warn("A further resume will take the run's configuration from before this one", [&] {
    write_file_atomically(run_dir / "config.json", config_json(run.config) + "\n");
  });
  write_or_warn("The run's manifest does not tell of this resume",
                [&] { write_file_atomically(manifest, noted); });
}

void restore_config(const fs::path& run_dir, const std::string& before, const Config& config,
                    bool tested) {
  const fs::path file = run_dir / "config.json";
  std::string text = before;
  if (tested) {
    Config kept = config;
    kept.train = parse_config(before, file.string()).train;
    text = config_json(kept) + "\n";
  }
  write_or_warn("A further resume will take the configuration of this one",
                [&] { write_file_atomically(file, text); });
}

RunOutcome train_run(PreparedRun& run, const fs::path& run_dir,
                     const std::optional<BaselineFigures>& baseline, Evaluate evaluate) {
  std::optional<EarlierTest> earlier(std::in_place, run_dir);
  RunOutcome outcome;
  std::optional<RunNgrams> ngrams;
  const DeterministicScope deterministic(wants_deterministic(run.kernel, run.device));
  try {
    with_memory_advice(run.config, run.estimate, [&] {
      const fs::path last = last_checkpoint(run_dir);  // none of a run stopped in its pretraining
      const auto resume_from = last.empty() ? std::nullopt : std::optional(last);
      const bool rehearsed = is_rehearsed(run);  // asked before the rows' n-grams have gone
      fs::path start;
      if (!resume_from) start = find_start(run, run_dir, outcome.result);
      const auto make = [&] {
        return resume_from ? make_run_classifier(run, true) : make_started(run, start);
      };
      const bool knows = !resume_from && begins_with_answers(run, start, rehearsed);
      ngrams = make_run_ngrams(run, resume_from);
      if (rehearsed && !resume_from) {
        RehearsedNetwork network{.make = make, .fresh = knows};
        if (knows)
          network.make = [&] {
            return make_classifier(run.config, run.shape, run.config.train.seed);
          };
        Rehearsed found = rehearse(run, run_dir, ngrams.value(), network, outcome.result);
        outcome.rehearsed = std::move(found.evaluation);
        outcome.rehearsal_updates = found.updates;
      }
      const std::unique_ptr<Classifier> classifier = make();
      run.vectors.reset();
      if (run.data.validation.size() == 0)
        log::info("no validation rows: the last checkpoint is the result");
      outcome.result = train(run.config, run.data, *classifier, run_dir, resume_from, baseline,
                             ngrams ? &*ngrams : nullptr);
      remove_rehearsed(run_dir);
    });
  } catch (const Stopped& stop) {  // before the training
    report_without_evaluation(run, run_dir);
    outcome.stopped_by = stop.signal;
    outcome.result.stopped_by_signal = stop.signal;  // also in the evaluation of a rehearsal
    return outcome;
  } catch (const TrainingError&) {
    report_without_evaluation(run, run_dir);
    throw;
  } catch (const c10::Error&) {  // a GPU that failed
    report_without_evaluation(run, run_dir);
    throw;
  } catch (const SystemError& error) {  // the last checkpoint could not be written
    report_without_evaluation(run, run_dir);
    if (stop_signal() == 0) throw;
    log::error("{}", error.what());
    outcome.stopped_by = stop_signal();
    return outcome;
  }
  const TrainingResult& result = outcome.result;
  earlier->tell();
  if (result.was_finished) earlier.reset();  // test.json has its name back
  if (result.stopped_by_signal != 0) {
    report_without_evaluation(run, run_dir);
    outcome.stopped_by = result.stopped_by_signal;
    return outcome;
  }
  const bool tested = fs::exists(run_dir / "test.json");
  const bool done = result.was_finished && (tested || run.data.test.size() == 0);
  if (done && evaluate == Evaluate::once) return outcome;
  try {
    with_memory_advice(run.config, run.estimate,
                       [&] { outcome.evaluated = finish_run(run, result, ngrams, run_dir); });
  } catch (const Stopped& stop) {
    report_without_evaluation(run, run_dir);
    outcome.stopped_by = stop.signal;
  }
  return outcome;
}

int tell_stopped(int signal, const TrainingResult& result, const fs::path& run_dir) {
  log::warning(
      "Stopped by {} after {} updates{}; the last checkpoint is {}. Go on with:\n  diffuse "
      "train --resume {}",
      signal_name(signal), format_count(result.updates),
      result.stopped_by_signal == 0 ? ", in the final evaluation" : "",
      relative_if_shorter(result.last_checkpoint), shell_quoted(relative_if_shorter(run_dir)));
  return kSignalBase + signal;
}

}  // namespace diffuse::cli
