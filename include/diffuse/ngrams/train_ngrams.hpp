#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/gold.hpp"
#include "diffuse/ngrams/branch_factors.hpp"
#include "diffuse/ngrams/linear_svm.hpp"
#include "diffuse/ngrams/ngram_model.hpp"

namespace diffuse {

constexpr std::int64_t kNgramFolds = 5;

/// The linear branch, trained, and what it says of other rows than those it was trained on.
struct TrainedNgrams {
  NgramModel model;
  /// Where the sum with a network begins: what makes the branch's own logits calibrated on rows
  /// that it has not seen, or `ngrams.factor` where that is set.
  BranchFactors factors;
  bool factor_is_set = false;  ///< by `ngrams.factor`
  double time_s = 0;
  /// Of training rows, each by a branch that was trained without it (kNgramFolds folds, or, of many
  /// rows, the first of them); without validation rows alone.
  OutOfFold unseen{};
  std::optional<double> unseen_accuracy{};
};

/// Trains the branch on the rows of `train`, whose data set holds their n-grams, of `features`
/// numbers, or on `config.max_rows` of them (NgramFit), which the log then tells. Without
/// `validation` rows the factor comes from rows of `train`, each seen by a branch that was trained
/// without it. Deterministic: no seed and no number of threads changes a bit. Throws Stopped soon
/// after a stop signal, which the log then tells.
TrainedNgrams train_ngrams(const NgramConfig& config, const DatasetView& train,
                           const DatasetView& validation, std::int64_t features,
                           std::int64_t classes, WorkerPool& pool);

/// Mean cross-entropy of logits [n, C] with the factor that makes it smallest.
double calibrated_loss(std::span<const float> logits, const Gold& gold);

}  // namespace diffuse
