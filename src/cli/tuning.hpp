#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/tune/successive_halving.hpp"
#include "fold_plan.hpp"
#include "tuning_journal.hpp"

namespace diffuse::cli {

/// A search's budget: minutes, or updates. Throws UsageError for anything else.
Length parse_tuning_budget(const std::string& text);

/// How much of a whole training a candidate gets on a rung.
struct TuningRung {
  double length = 1;      ///< part of its own length
  std::size_t folds = 1;  ///< how many folds it answers, each by a training of its own
};

/// The training file's rows, and the folds that a search measures on; none where data.validation
/// answers.
struct TunedRows {
  std::int64_t rows = 0;
  std::optional<FoldPlan> folds;
};
/// Reads the labels. Throws UsageError where the texts make no folds.
TunedRows read_tuned_rows(const Config& start);

/// Trains candidates on the training file less some rows and measures them on these, within a
/// budget. Which rows: those of data.validation; else, of fewer than 20,000 rows, five folds, of
/// which a candidate answers one, three and all; of more rows one fold of at most 10,000, after a
/// ninth, a third and all of its length.
class Tuning {
 public:
  /// `start`: what the search begins with. `run_dir`: where `autotune.jsonl` is, or will be.
  /// `rows`: those of `start`. Throws UsageError for a budget that is none.
  Tuning(const Config& start, const std::string& budget, const std::filesystem::path& run_dir,
         TunedRows rows);

  std::size_t rungs() const { return ladder_.size(); }
  /// Trains and measures, or takes from the journal what that gave. Nothing where what is left of
  /// the budget has to serve the training of what is chosen. Throws Stopped when a signal arrives,
  /// else as train_run does, but for a training that diverges: it is right on no row.
  std::optional<TuningScore> measure(const TuningStep& step);
  /// "3m 12s of 10m".
  std::string used_text() const;
  /// What the rows are that candidates are measured on.
  std::string rows_text() const;
  /// With how many candidates, at most `most`, of which one of `reduction` goes on from each rung,
  /// a bracket can begin, so that there is time for it and for the training of what is chosen; 0:
  /// not even with two.
  std::size_t affordable_bracket(std::size_t most, std::size_t reduction) const;
  /// What the start and a bracket of two would take, and the training of what is chosen: "about
  /// 36,000 updates", once the first was made.
  std::string least_text(std::size_t reduction) const;

 private:
  std::optional<TuningTrial> trial(const TuningStep& step, std::size_t fold, double length);
  TuningTrial train_trial(const TuningStep& step, TuningTrial trial, double length);
  bool affordable(double trainings) const;
  double bracket_trainings(std::size_t candidates, std::size_t reduction) const;
  TuningScore score_of(const std::vector<TuningTrial>& trials) const;

  Config start_;
  std::filesystem::path run_dir_;
  bool by_updates_ = false;
  double budget_ = 0;  ///< updates or seconds
  double used_ = 0;
  double trainings_ = 0;          ///< made with that, in whole ones
  std::optional<FoldPlan> plan_;  ///< nothing where data.validation answers
  std::vector<TuningRung> ladder_;
  std::int64_t rows_ = 0;      ///< of the training file
  double final_training_ = 1;  ///< that of what is chosen, in the search's whole trainings
  TuningJournal journal_;
  std::vector<std::vector<TuningTrial>> trials_;  ///< of each candidate, on its present rung
};

}  // namespace diffuse::cli
