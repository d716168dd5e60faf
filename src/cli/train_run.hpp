#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/train/trainer.hpp"
#include "prepared_run.hpp"

namespace diffuse::cli {

/// Runs `write`, which writes a file of a run's: a failure is a warning that begins with `what`.
void write_or_warn(const char* what, const std::function<void()>& write);

/// Writes down what a new run is made of: its config and its manifest.
void start_run_directory(const std::filesystem::path& run_dir, const PreparedRun& run,
                         const RunFacts& facts);
/// Checks that the run's data are still the same and notes who goes on with it, and with what: on a
/// full disk it goes on unnoted.
void resume_run_directory(const std::filesystem::path& run_dir, const PreparedRun& run,
                          const RunFacts& facts);
/// Gives the run, which had nothing left to do, the config.json `before` that it had until it was
/// gone on with: a length that came too late would else be that of a later resume. What was
/// evaluated now (`tested`) stays named.
void restore_config(const std::filesystem::path& run_dir, const std::string& before,
                    const Config& config, bool tested);

/// What became of a run.
struct RunOutcome {
  TrainingResult result;
  /// The best checkpoint on the test rows or, without any, on the validation rows; nothing without
  /// either, where the run was stopped, and, evaluated once, where it had been finished before.
  std::optional<Evaluation> evaluated{};
  /// What the rehearsal of this training was right on, where there was one and it was not before.
  std::optional<Evaluation> rehearsed{};
  std::int64_t rehearsal_updates = 0;  ///< made for it, beside those of `result`
  /// The number of the signal that ended the run; 0: none. Nothing is left to be told of a stop
  /// where `result.last_checkpoint` is empty: it could not be written, and the log says why.
  int stopped_by = 0;
};

/// Whether the best checkpoint of a run that has been finished before is evaluated once more.
enum class Evaluate { once, always };

/// Pretrains, where the config asks for it, rehearses (is_rehearsed) and trains what `run` is about
/// in `run_dir`, which holds its config and manifest, or goes on with what stands there; then tests
/// the best checkpoint once, where there are test rows
/// (`test.json`), or else evaluates it on the validation rows, and writes `report.html`. `baseline`
/// as `train` takes it. Throws as that does.
RunOutcome train_run(PreparedRun& run, const std::filesystem::path& run_dir,
                     const std::optional<BaselineFigures>& baseline = {},
                     Evaluate evaluate = Evaluate::once);

/// The exit code of a run that the signal `signal` stopped; tells how to go on with `run_dir`.
int tell_stopped(int signal, const TrainingResult& result, const std::filesystem::path& run_dir);

}  // namespace diffuse::cli
