#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/data/gold.hpp"
#include "diffuse/ngrams/linear_svm.hpp"
#include "diffuse/ngrams/ngram_model.hpp"

namespace diffuse {

/// The linear branch as it is trained on the rows of `view`, whose data set holds their n-grams, of
/// `features` numbers, and what it says of rows that it was trained without. Deterministic: no seed
/// and no number of threads changes a bit.
///
/// Of more than `config.max_rows` rows (0: of none) so many are trained on, drawn evenly, each with
/// the same probability: what the n-grams count and the machines' weights come from these alone.
class NgramFit {
 public:
  /// Trains, when it is first asked, on the threads of `pool`, which must outlive the object, as
  /// the view's data set must.
  NgramFit(const NgramConfig& config, DatasetView view, std::int64_t features, std::int64_t classes,
           WorkerPool& pool);
  NgramFit(const NgramFit&) = delete;
  NgramFit& operator=(const NgramFit&) = delete;

  /// Of the rows of `view` at `places`.
  Gold gold_at(std::span<const std::size_t> places) const;
  /// How many rows are trained on.
  std::int64_t trained_rows() const { return std::ssize(trained_.rows); }
  NgramModel model() const;

  /// Logits of the rows of the first `needed` of `folds` folds (deal_to_folds), whether they would
  /// be trained on or not, by branches that were trained without their fold. What n-grams count by
  /// the classes (naive_bayes) is then taken from the other folds' rows, too: a weight that has
  /// seen a row's label would say too much of it.
  OutOfFold out_of_fold(std::int64_t folds, std::int64_t needed) const;

 private:
  bool draws() const { return trained_.rows.size() < view_.rows.size(); }
  const LinearSvm& svm() const;
  OutOfFold trained_anew(std::span<const std::int64_t> fold_of, std::int64_t needed) const;

  NgramConfig config_;
  DatasetView view_;
  DatasetView trained_;  // in the order of the view
  std::int64_t features_;
  std::int64_t classes_;
  WorkerPool& pool_;
  std::vector<float> scale_;
  NgramRows rows_;                 // those trained on, weighed
  Gold gold_;                      // of these
  std::vector<float> importance_;  // of these
  std::vector<std::uint32_t> which_;
  mutable std::optional<LinearSvm> svm_;  // trained when it is first asked for
};

}  // namespace diffuse
