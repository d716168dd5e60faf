#include "tuning.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/quiet_log.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/train/plan.hpp"
#include "diffuse/tune/search_space.hpp"
#include "prepared_run.hpp"
#include "train_run.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

constexpr double kSecondsAMinute = 60;
constexpr std::int64_t kFewFolds = 5;
constexpr std::int64_t kFewRows = 20'000;
constexpr std::int64_t kMeasuredRows = 10'000;
/// Candidates that make a choice.
constexpr std::size_t kSmallestBracket = 2;
/// A loss that no other candidate's is above.
constexpr double kWorstLoss = 1e9;

std::vector<std::uint8_t> right_rows(const Evaluation& evaluation, std::int64_t classes) {
  std::vector<std::uint8_t> right;
  if (evaluation.several) {
    const SeveralAnswers& several = *evaluation.several;
    const auto width = static_cast<std::size_t>(several.gold.classes);
    for (std::size_t i = 0; i < several.gold.size(); ++i) {
      const auto gold = several.gold.row(i);
      const bool equal =
          std::equal(gold.begin(), gold.end(),
                     several.answers.begin() + static_cast<std::ptrdiff_t>(i * width));
      right.push_back(equal && several.gold.unknown[i] == 0 ? 1 : 0);
    }
    return right;
  }
  const std::vector<std::int32_t> answers = predicted_classes(evaluation.probabilities, classes);
  for (std::size_t i = 0; i < answers.size(); ++i)
    right.push_back(answers[i] == evaluation.gold[i] ? 1 : 0);
  return right;
}

/// Whether a file is there to measure on. Rows of data.test_fraction belong to no fold.
bool has_rows_to_answer(const Config& start) {
  return !start.data.validation.empty() && start.data.test_fraction == 0;
}

/// Lets the run end after `part` of its length, with the schedule of a whole one.
void shorten(PreparedRun& run, double part) {
  if (run.config.model.dim == 0) return;  // n-grams alone have no updates to be left out
  const TrainingPlan plan = plan_of(run.config, run.data.train);
  TrainConfig& train = run.config.train;
  const auto updates = [&](std::int64_t whole) {
    return fmt::format("{}u", std::llround(std::ceil(part * static_cast<double>(whole))));
  };
  if (train.warmup != kAutomaticLength) train.warmup = updates(plan.schedule.warmup);
  if (plan.time_limit_s > 0)
    train.length = fmt::format("{:g}m", part * plan.time_limit_s / kSecondsAMinute);
  else
    train.length = updates(plan.total);
}

}  // namespace

Length parse_tuning_budget(const std::string& text) {
  try {
    const Length budget = parse_length(text);
    if (budget.unit != Length::Unit::epochs && budget.value > 0) return budget;
  } catch (const ConfigError&) {  // told below
  }
  throw UsageError(fmt::format(
      "--autotune {}: expected minutes, such as 10m, or updates, such as 20000u, which choose the "
      "same for the same seed on any machine.",
      printable(text)));
}

TunedRows read_tuned_rows(const Config& start) {
  TunedRows found{.rows = static_cast<std::int64_t>(read_labelled_rows(start.data).size()),
                  .folds = std::nullopt};
  if (has_rows_to_answer(start)) return found;
  const std::int64_t folds =
      found.rows < kFewRows ? kFewFolds : std::max(kFewFolds, found.rows / kMeasuredRows);
  try {
    found.folds.emplace(start, folds);
  } catch (const DataError& error) {
    throw UsageError(
        fmt::format("--autotune measures what it tries on folds of the training rows: {}. Leave it "
                    "out, or name rows to measure on (data.validation).",
                    error.what()));
  }
  return found;
}

Tuning::Tuning(const Config& start, const std::string& budget, const fs::path& run_dir,
               TunedRows rows)
    : start_(start),
      run_dir_(run_dir),
      plan_(std::move(rows.folds)),
      rows_(rows.rows),
      journal_(run_dir / "autotune.jsonl") {
  const Length length = parse_tuning_budget(budget);
  by_updates_ = length.unit == Length::Unit::updates;
  budget_ = length.value * (by_updates_ ? 1 : kSecondsAMinute);
  if (rows_ < kFewRows && plan_)
    ladder_ = {{1, 1}, {1, 3}, {1, kFewFolds}};
  else
    ladder_ = {{1.0 / 9, 1}, {1.0 / 3, 1}, {1, 1}};
  if (!plan_) return;
  const auto folds = static_cast<double>(plan_->folds());
  final_training_ = folds / (folds - 1);
}

std::optional<TuningScore> Tuning::measure(const TuningStep& step) {
  const TuningRung& rung = ladder_.at(step.rung);
  if (trials_.size() <= step.candidate) trials_.resize(step.candidate + 1);
  std::vector<TuningTrial>& own = trials_[step.candidate];
  if (rung.folds == 1) own.clear();  // measured after less of its length before
  while (own.size() < rung.folds) {
    auto made = trial(step, own.size(), rung.length);
    if (!made) return std::nullopt;
    own.push_back(*std::move(made));
  }
  TuningScore score = score_of(own);
  const auto right = std::count(score.right.begin(), score.right.end(), 1);
  log::info("{}, candidate {}, rung {} of {}: {:.2f} % of {} rows  {}", used_text(), step.candidate,
            step.rung + 1, ladder_.size(),
            100.0 * static_cast<double>(right) / static_cast<double>(score.right.size()),
            format_count(std::ssize(score.right)), own.front().changes);
  return score;
}

std::optional<TuningTrial> Tuning::trial(const TuningStep& step, std::size_t fold, double length) {
  if (!affordable(length)) return std::nullopt;
  TuningTrial place{.candidate = step.candidate,
                    .rung = step.rung,
                    .fold = fold,
                    .changes = changes_text(start_, step.config),
                    .macro_f1 = {},
                    .right = {}};
  std::optional<TuningTrial> done = journal_.next(place);
  if (!done) {
    done = train_trial(step, std::move(place), length);
    journal_.add(*done);
  }
  // Where there is no network there is nothing to update, but the search ends nevertheless.
  used_ +=
      by_updates_ ? static_cast<double>(std::max<std::int64_t>(done->updates, 1)) : done->time_s;
  trainings_ += length;
  return done;
}

TuningTrial Tuning::train_trial(const TuningStep& step, TuningTrial trial, double length) {
  const double start_s = steady_now_s();
  Config config = step.config;
  std::optional<RowParts> parts;
  if (plan_)
    parts = plan_->parts(static_cast<std::int64_t>(trial.fold));
  else
    config.data.test = std::exchange(config.data.validation, "");
  const fs::path dir = run_dir_ / "trial";
  std::error_code ignored;
  fs::remove_all(dir, ignored);
  create_folders(dir);
  const log::QuietLog quiet;
  PreparedRun run = prepare_run(config, {.parts = parts ? &*parts : nullptr});
  run.report = false;
  if (length < 1) shorten(run, length);
  try {
    const RunOutcome outcome = train_run(run, dir);
    if (outcome.stopped_by != 0) throw Stopped(outcome.stopped_by);
    const Evaluation& evaluation = outcome.evaluated.value();
    trial.accuracy = evaluation.metrics.accuracy;
    trial.macro_f1 = evaluation.metrics.macro_f1;
    trial.loss = std::min(evaluation.metrics.mean_loss, kWorstLoss);
    trial.right = right_rows(evaluation, run.data.labels.size());
    trial.updates = outcome.result.updates + outcome.rehearsal_updates;
  } catch (const TrainingError& error) {
    log::debug("diverged: {}", error.what());
    trial.loss = kWorstLoss;
    trial.right.assign(run.data.test.size(), 0);
    trial.updates = plan_of(run.config, run.data.train).total;
  }
  fs::remove_all(dir, ignored);
  trial.time_s = steady_now_s() - start_s;
  return trial;
}

bool Tuning::affordable(double trainings) const {
  if (trainings_ == 0) return true;
  return used_ + used_ / trainings_ * (trainings + final_training_) <= budget_;
}

TuningScore Tuning::score_of(const std::vector<TuningTrial>& trials) const {
  TuningScore score;
  double rows = 0;
  for (const TuningTrial& trial : trials) {
    const auto own = static_cast<double>(trial.right.size());
    switch (start_.train.metric) {
      case ValidationMetric::accuracy:
        score.score += own * trial.accuracy;
        break;
      case ValidationMetric::macro_f1:
        score.score += own * trial.macro_f1.value_or(0);
        break;
      case ValidationMetric::loss:
        score.score -= own * trial.loss;
        break;
    }
    score.loss += own * trial.loss;
    rows += own;
    score.right.insert(score.right.end(), trial.right.begin(), trial.right.end());
  }
  score.score /= rows;
  score.loss /= rows;
  return score;
}

std::string Tuning::used_text() const {
  if (by_updates_)
    return fmt::format("{} of {} updates", format_count(std::llround(used_)),
                       format_count(std::llround(budget_)));
  return fmt::format("{} of {}", format_duration(used_), format_duration(budget_));
}

std::string Tuning::rows_text() const {
  if (!plan_) return fs::path(start_.data.validation).filename().string();
  return fmt::format("{}{} of {} rows", ladder_.back().folds == 1 ? "one of " : "",
                     ladder_.back().folds == 1 ? fmt::format("{} parts", plan_->folds())
                                               : fmt::format("{} folds", plan_->folds()),
                     format_count(rows_));
}

/// What a bracket takes, in whole trainings.
double Tuning::bracket_trainings(std::size_t candidates, std::size_t reduction) const {
  double trainings = 0;
  for (std::size_t i = 0; i < ladder_.size(); ++i) {
    const std::size_t made = i == 0 || ladder_[i].folds == 1 ? 0 : ladder_[i - 1].folds;
    trainings += static_cast<double>(candidates * (ladder_[i].folds - made)) * ladder_[i].length;
    candidates = (candidates + reduction - 1) / reduction;
  }
  return trainings;
}

std::size_t Tuning::affordable_bracket(std::size_t most, std::size_t reduction) const {
  std::size_t candidates = most;
  while (candidates >= kSmallestBracket && !affordable(bracket_trainings(candidates, reduction)))
    --candidates;
  return candidates < kSmallestBracket ? 0 : candidates;
}

std::string Tuning::least_text(std::size_t reduction) const {
  const double trainings = ladder_.back().length * static_cast<double>(ladder_.back().folds) +
                           bracket_trainings(kSmallestBracket, reduction) + final_training_;
  const double each = trainings_ == 0 ? 0 : used_ / trainings_;
  return by_updates_ ? fmt::format("{} updates", format_count(std::llround(trainings * each)))
                     : format_duration(trainings * each);
}

}  // namespace diffuse::cli
