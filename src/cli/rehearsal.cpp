#include "rehearsal.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"
#include "diffuse/train/confidence.hpp"
#include "diffuse/train/row_adamw.hpp"
#include "evaluation.hpp"
#include "fold_result.hpp"
#include "lent_data.hpp"
#include "run_directory.hpp"
#include "train_result.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

/// Rows that are enough to find two factors.
constexpr std::int64_t kEnoughRows = 500;

/// The network's training alone, of as many epochs on `rows` rows as `run` has on all of them.
/// `fresh`: it begins with no weights that were learned before, whose words would learn slower.
Config rehearsed_config(const PreparedRun& run, std::size_t rows, bool fresh) {
  Config config = run.config;
  const double share = static_cast<double>(rows) / static_cast<double>(run.data.train.size());
  const double updates = std::ceil(static_cast<double>(run.startup.plan.total) * share);
  config.train.length = fmt::format("{:.0f}u", updates);
  config.train.max_updates = 0;
  config.train.evaluate_every = config.train.length;
  config.ngrams = {};
  // By train.init and train.pretrain, which it has not.
  config.train.embedding_lr_factor = fresh ? 1 : embedding_lr_factor(config.train);
  config.train.init.clear();
  config.train.pretrain.clear();
  config.train.patience = 0;
  config.train.keep_checkpoints = 1;
  return config;
}

/// The training rows by what the n-grams' folds make of them.
class Rehearsal {
 public:
  Rehearsal(PreparedRun& run, const fs::path& run_dir, const RunNgrams& ngrams,
            const RehearsedNetwork& network, TrainingResult& stopped)
      : run_(run),
        run_dir_(run_dir),
        network_(network),
        stopped_(stopped),
        unseen_(ngrams.branch.trained.unseen),
        classes_(run.data.labels.size()),
        fold_of_(unseen_.fold_of) {
    // The n-grams have answered the first fold, of fewer rows all of them.
    const bool all = unseen_.places.size() == run.data.train.size();
    const std::int64_t fold_rows =
        std::max<std::int64_t>(std::ssize(run.data.train.rows) / kNgramFolds, 1);
    folds_ = std::clamp<std::int64_t>((kEnoughRows + fold_rows - 1) / fold_rows, 1,
                                      all ? kNgramFolds : 1);
  }

  std::int64_t folds() const { return folds_; }
  std::int64_t updates() const { return updates_; }

  /// The rows that are asked for, in the training rows' order.
  DatasetView rows() const {
    return part([this](std::int64_t fold) { return fold < folds_; });
  }

  /// What the n-grams answer there, [n, C].
  std::vector<float> ngram_logits() const {
    std::vector<float> logits;
    const auto width = static_cast<std::ptrdiff_t>(classes_);
    for (std::size_t i = 0; i < unseen_.places.size(); ++i) {
      if (fold_of_[unseen_.places[i]] >= folds_) continue;
      const auto row = unseen_.logits.begin() + static_cast<std::ptrdiff_t>(i) * width;
      logits.insert(logits.end(), row, row + width);
    }
    return logits;
  }

  /// What the network answers there, [n, C].
  std::vector<float> network_logits() {
    std::vector<FoldAnswers> answers;
    for (std::int64_t fold = 0; fold < folds_; ++fold) answers.push_back(answer(fold));
    return in_row_order(answers, fold_of_, classes_);
  }

 private:
  DatasetView part(const std::function<bool(std::int64_t)>& is_in) const {
    DatasetView view{run_.data.train.data, {}};
    for (std::size_t i = 0; i < fold_of_.size(); ++i)
      if (is_in(fold_of_[i])) view.rows.push_back(run_.data.train.rows[i]);
    return view;
  }

  /// Logits [n, C] of the rows of `fold`.
  FoldAnswers answer(std::int64_t fold) {
    const fs::path folder = rehearsal_directory(run_dir_, fold);
    const DatasetView own = part([&](std::int64_t other) { return other == fold; });
    if (auto done = read_fold_answers(folder, std::ssize(own.rows), classes_)) return *done;
    create_folders(folder);
    if (folds_ > 1) log::info("Rehearsal {} of {}", fold + 1, folds_);
    const fs::path last = last_checkpoint(folder);
    const std::unique_ptr<Classifier> classifier = network_.make();
    DatasetView others = part([&](std::int64_t other) { return other != fold; });
    const Config config = rehearsed_config(run_, others.size(), network_.fresh);
    TrainingResult result;
    {
      LentData lent(run_.data);
      lent.data().train = std::move(others);
      lent.data().labels = run_.data.labels;
      lent.data().facts = run_.data.facts;
      result = train(config, lent.data(), *classifier, folder,
                     last.empty() ? std::nullopt : std::optional(last));
    }
    stopped_ = result;
    updates_ += result.updates;
    if (result.stopped_by_signal != 0) throw Stopped(result.stopped_by_signal);
    FoldAnswers answers{
        .scores = evaluate_checkpoint(result.last_checkpoint, own, {}, run_.data.facts.class_rows,
                                      run_.device, run_.precision, "rehearsing", {})
                      .logits,
        .training_time_s = result.training_time_s};
    write_fold_answers(folder, answers);
    return answers;
  }

  PreparedRun& run_;
  const fs::path& run_dir_;
  const RehearsedNetwork& network_;
  TrainingResult& stopped_;
  const OutOfFold& unseen_;
  std::int64_t classes_;
  const std::vector<std::int64_t>& fold_of_;  // of each training row
  std::int64_t folds_ = 1;
  std::int64_t updates_ = 0;
};

}  // namespace

bool is_rehearsed(const PreparedRun& run) {
  const Config& config = run.config;
  const bool trains = run.startup.plan.total > 0 && run.startup.plan.time_limit_s == 0;
  return run.data.ngrams.has_value() && config.ngrams.factor == 0 &&
         run.data.validation.size() == 0 && run.data.train.size() >= kNgramFolds &&
         !run.data.train_file->several_labels() && !config.train.overfit_batch &&
         (trains || config.model.dim == 0);
}

fs::path rehearsal_directory(const fs::path& run_dir, std::int64_t fold) {
  return run_dir / kRehearsalFolder / std::to_string(fold + 1);
}

Rehearsed rehearse(PreparedRun& run, const fs::path& run_dir, RunNgrams& ngrams,
                   const RehearsedNetwork& network, TrainingResult& stopped) {
  Rehearsal rehearsal(run, run_dir, ngrams, network, stopped);
  const DatasetView rows = rehearsal.rows();
  const bool trains = run.config.model.dim > 0;
  if (trains)
    log::info(
        "Rehearsal: the network is trained on four fifths of the rows first and asked for the "
        "others{}, to find what it counts beside the n-grams",
        rehearsal.folds() > 1 ? fmt::format(", {} times", rehearsal.folds()) : "");
  std::vector<float> ngram_logits = rehearsal.ngram_logits();
  std::vector<float> logits =
      trains ? rehearsal.network_logits() : std::vector<float>(ngram_logits.size());
  Evaluation evaluation =
      evaluate_logits(std::move(logits), rows,
                      {.class_count = run.data.labels.size(),
                       .class_rows = run.data.facts.class_rows,
                       .branches = BranchOptions{.ngram_logits = std::move(ngram_logits),
                                                 .factors = ngrams.branch.trained.factors,
                                                 .fit = trains}},
                      trains);
  ngrams.branch.factors = evaluation.branches.value().factors;
  ngrams.confidence = confidence_of(evaluation, run.data.labels);
  log::info("  {}  {}", accuracy_line(evaluation.metrics), branches_text(*evaluation.branches));
  return {std::move(evaluation), rehearsal.updates()};
}

std::string rehearsal_text(const Evaluation& rehearsal) {
  return fmt::format(
      "rehearsal {}  (the same training on four fifths of the rows)\nrehearsal branches  {}\n",
      accuracy_line(rehearsal.metrics), branches_text(rehearsal.branches.value()));
}

}  // namespace diffuse::cli
