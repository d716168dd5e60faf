#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diffuse/eval/evaluator.hpp"
#include "fold_plan.hpp"

namespace diffuse::cli {

/// What the model of one fold answers on the fold's rows.
struct FoldAnswers {
  /// [n, C], the rows in file order: probabilities, in a rehearsal logits.
  std::vector<float> scores;
  double training_time_s = 0;
};

/// The same on disk, so that a finished fold is not trained again.
void write_fold_answers(const std::filesystem::path& fold_dir, const FoldAnswers& answers);
/// Nothing where they are not there yet. `rows`, `classes`: how many are expected; throws
/// CheckpointError for others.
std::optional<FoldAnswers> read_fold_answers(const std::filesystem::path& fold_dir,
                                             std::int64_t rows, std::int64_t classes);

/// The figures of one fold, and those of all.
struct FoldFigures {
  std::int64_t training_rows = 0;
  Metrics metrics;
  double training_time_s = 0;
};
struct CrossValidation {
  std::vector<FoldFigures> folds;
  /// Of all rows, each answered by the model that has not seen it. The interval is Wilson's, for
  /// the accuracy on new rows of models like these.
  Metrics all;
  double mean_accuracy = 0;                  ///< of the folds
  std::optional<double> deviation_accuracy;  ///< of the folds' accuracies
  std::vector<float> probabilities;          ///< [n, C] of the rows in folds, in file order
  std::optional<Evaluation> ensemble{};      ///< on the test rows, where both are wanted
};

/// The answers of folds put into the rows' order. `answers`: of each fold, [n, width]; `fold_of`:
/// of each row, one that is none of theirs is left out.
std::vector<float> in_row_order(const std::vector<FoldAnswers>& answers,
                                std::span<const std::int64_t> fold_of, std::int64_t width);

/// Puts the folds' answers together.
CrossValidation cross_validation(const FoldPlan& plan, const std::vector<FoldAnswers>& answers);

/// Writes `predictions.jsonl`: of each row in a fold, in file order, an object with its label, its
/// text, its fold and the probability of each class, as data.soft_labels reads it.
void write_out_of_fold(const std::filesystem::path& path, const DataConfig& data,
                       const FoldPlan& plan, const CrossValidation& result);

/// What `train --folds` prints, as a table and some lines or as one JSON object.
std::string cross_validation_text(const CrossValidation& result, const Labels& labels,
                                  const std::filesystem::path& run_dir);
std::string cross_validation_json(const CrossValidation& result, const Labels& labels,
                                  const std::filesystem::path& run_dir);

}  // namespace diffuse::cli
