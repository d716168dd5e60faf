#include "prune.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "choices.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "diffuse/eval/coverage.hpp"
#include "diffuse/model/checkpoint_manifest.hpp"
#include "diffuse/model/label_thresholds.hpp"
#include "diffuse/ngrams/prune_ngrams.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"
#include "diffuse/train/confidence.hpp"
#include "ensemble.hpp"
#include "evaluation.hpp"
#include "exit_code.hpp"
#include "model/ngram_branch.hpp"
#include "output.hpp"
#include "prune_report.hpp"
#include "prune_rows.hpp"

namespace diffuse::cli {
namespace {

namespace fs = std::filesystem;

/// What of a checkpoint the pruned one does not have, or has anew: the training's state, and what
/// follows from the n-grams' weights.
constexpr std::array<std::string_view, 8> kNotCopied = {
    "optimizer.safetensors", "state.json",       "manifest.json", kNgramsFile,
    "branches.json",         "calibration.json", kCoverageFile,   kThresholdsFile};

bool is_copied(const fs::directory_entry& entry) {
  return entry.is_regular_file() &&
         std::ranges::find(kNotCopied, entry.path().filename().string()) == kNotCopied.end();
}

OpenedModel open_prunable(const PruneOptions& options) {
  std::error_code ignored;
  if (fs::exists(options.out, ignored))
    throw UsageError(fmt::format(
        "--out {}: it is there already; expected the name of a new folder.", options.out));
  if (const auto members = ensemble_members(options.model.checkpoint); !members.empty())
    throw UsageError(fmt::format(
        "--checkpoint {}: it is an ensemble; prune makes one model smaller, which was trained on "
        "all rows.",
        options.model.checkpoint));
  OpenedModel opened = open_model(options.model);
  if (!opened.model.ngrams)
    throw UsageError(fmt::format(
        "'{}': the model has no n-grams (ngrams.max, ngrams.char_max): there is nothing to prune.",
        opened.folder.string()));
  return opened;
}

std::optional<Evaluation> measure(OpenedModel& opened, const PruneRows& rows,
                                  const PruneOptions& options, const std::string& what) {
  if (rows.measured.size() == 0) return std::nullopt;
  return evaluate_with_progress(*opened.model.classifier, rows.measured,
                                options_of(opened, rows.measured, options.model.batch_size), what);
}

/// What `trained` counts beside a network that counted what `old` has: as much more or less as its
/// own logits need to be calibrated. Validation rows will say better.
BranchFactors factors_beside(const LoadedNgrams& old, const TrainedNgrams& trained) {
  const double before = old.trained.factors.ngrams;
  BranchFactors factors = old.factors;
  if (before > 0) factors.ngrams *= trained.factors.ngrams / before;
  return factors;
}

/// Leaves the n-grams of the greatest influence, trained anew, in the model.
void train_anew(LoadedModel& model, PruneRows& rows, double keep, WorkerPool& pool) {
  const Config& config = model.config;
  const LoadedNgrams& old = *model.ngrams;
  PrunedVocabulary pruned =
      prune_vocabulary(old.vocabulary, config.ngrams, config.tokenizer.lowercase, keep,
                       ngram_influence(old.trained.model, rows.training.train));
  rows.map_ngrams(pruned.new_ids, pool);
  TrainedNgrams trained = train_ngrams(config.ngrams, rows.training.train, rows.validation,
                                       pruned.vocabulary.size(), model.labels.size(), pool);
  log::info("n-grams: {} weights for each of {} classes, trained in {}",
            format_count(pruned.vocabulary.size()), format_count(model.labels.size()),
            format_duration(trained.time_s));
  const BranchFactors factors = factors_beside(old, trained);
  model.ngrams = LoadedNgrams{.vocabulary = std::move(pruned.vocabulary),
                              .trained = std::move(trained),
                              .factors = factors};
}

double part_to_keep(const PruneOptions& options, const LoadedModel& model) {
  if (options.keep > 0) return options.keep;
  const std::int64_t count = model.ngrams->vocabulary.size();
  const double keep = usual_part(count);
  if (keep == 1)
    log::info("all {} n-grams stay: they are few; --keep PART keeps fewer", format_count(count));
  return keep;
}

/// Writes the n-grams' file; from then on the model has the weights that it holds.
void save_weights(const PruneOptions& options, const fs::path& folder, LoadedModel& model) {
  LoadedNgrams& ngrams = *model.ngrams;
  const fs::path file = folder / kNgramsFile;
  const auto save = options.int8 ? save_ngrams_in_bytes : save_ngrams;
  save(file, ngrams.vocabulary, ngrams.trained.model);
  NgramBranch stored =
      load_ngrams(file, model.config.ngrams, model.config.tokenizer.lowercase, model.labels.size());
  ngrams.vocabulary = std::move(stored.vocabulary);
  ngrams.trained.model = std::move(stored.model);
}

/// Chooses by the validation rows, as training does, what the branches count and how sure answers
/// are; without such rows the factors stay.
Confidence choose_confidence(OpenedModel& opened, const DatasetView& validation,
                             std::int64_t batch_size) {
  LoadedModel& model = opened.model;
  model.temperature = 1;
  if (validation.size() == 0) return {};
  EvaluationOptions options = options_of(opened, validation, batch_size);
  options.branches->factors = model.ngrams->trained.factors;
  options.branches->fit = !model.ngrams->trained.factor_is_set;
  options.thresholds.clear();
  const Evaluation evaluation =
      evaluate_with_progress(*model.classifier, validation, options, "choosing");
  model.ngrams->factors = evaluation.branches->factors;
  if (evaluation.metrics.labels) model.thresholds = evaluation.metrics.labels->thresholds;
  return confidence_of(evaluation, model.labels);
}

void copy_files(const fs::path& from, const fs::path& to) {
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    if (!is_copied(entry)) continue;
    std::error_code failed;
    fs::copy_file(entry.path(), to / entry.path().filename(), failed);
    if (failed)
      throw SystemError(fmt::format("'{}' cannot be copied to '{}': {}.", entry.path().string(),
                                    to.string(), failed.message()));
  }
}

/// What the checkpoint in `folder`, whose model is `opened`, is like.
PruneState state_of(const OpenedModel& opened, const fs::path& folder,
                    std::optional<Evaluation> evaluation) {
  const LoadedNgrams& ngrams = *opened.model.ngrams;
  PruneState state{.ngrams = ngrams.vocabulary.size(),
                   .ngram_bytes = fs::file_size(folder / kNgramsFile),
                   .factors = ngrams.factors,
                   .evaluation = std::move(evaluation)};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (is_copied(entry) || entry.path().filename() == kNgramsFile)
      state.checkpoint_bytes += entry.file_size();
  return state;
}

}  // namespace

CLI::App* setup_prune(CLI::App& app, PruneOptions& options) {
  CLI::App* verb =
      app.add_subcommand("prune", "Make a checkpoint smaller: fewer n-grams, weights of a byte");
  add_model_options(*verb, options.model);
  verb->add_option("--out", options.out, "Folder of the new checkpoint")
      ->required()
      ->type_name("DIR");
  verb->add_option("--keep", options.keep,
                   "Part of the n-grams that stay, those that say most of the training rows; they "
                   "are trained anew")
      ->check(is_share(1e-9))
      ->option_text("PART; a twentieth, but 20,000 at least");
  verb->add_flag("--int8", options.int8, "Store each weight in a byte");
  verb->add_option("--data", options.data,
                   "Labelled rows to measure on, before and after; without it the rows that chose "
                   "in training, or else the test file")
      ->type_name("FILE");
  verb->add_option("--train", options.train, "Where the training file is, if it was moved")
      ->type_name("FILE");
  verb->add_option("--validation", options.validation,
                   "Where the validation file is, if it was moved")
      ->type_name("FILE");
  verb->add_flag("--json", options.json, "Print the figures as one JSON object");
  verb->footer(
      "Examples:\n"
      "  diffuse prune --checkpoint runs/r8 --out r8-small --int8\n"
      "  diffuse prune --checkpoint runs/r8 --out r8-small --keep 0.2 --data more.csv\n"
      "  diffuse prune --checkpoint runs/r8 --out r8-bytes --keep 1 --int8\n");
  return verb;
}

int run_prune(const PruneOptions& given) {
  catch_stop_signals();
  OpenedModel opened = open_prunable(given);
  PruneOptions options = given;
  options.keep = part_to_keep(given, opened.model);
  PruneRows rows = read_prune_rows(options, opened);
  WorkerPool pool(opened.threads);
  PruneReport report{.trained_rows = std::ssize(rows.training.train.rows),
                     .int8 = options.int8,
                     .network = opened.model.config.model.dim > 0,
                     .measured_name = rows.measured_name,
                     .checkpoint = options.out};
  report.before = state_of(opened, opened.folder, measure(opened, rows, options, "before"));
  Confidence confidence = read_confidence(opened.folder);
  if (options.keep < 1) train_anew(opened.model, rows, options.keep, pool);
  throw_if_stopped();
  FolderWriter writer(options.out);
  save_weights(options, writer.folder(), opened.model);
  if (options.keep < 1)
    confidence = choose_confidence(opened, rows.validation, options.model.batch_size);
  save_branch_factors(writer.folder(), opened.model.ngrams->trained, opened.model.ngrams->factors);
  save_confidence(writer.folder(), confidence);
  copy_files(opened.folder, writer.folder());
  report.after = state_of(opened, writer.folder(), measure(opened, rows, options, "after"));
  write_checkpoint_manifest(writer.folder());
  writer.publish();
  write_output(options.json ? prune_json(report) : prune_text(report));
  return kDone;
}

}  // namespace diffuse::cli
