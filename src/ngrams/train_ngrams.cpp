#include "diffuse/ngrams/train_ngrams.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "diffuse/base/system.hpp"
#include "diffuse/ngrams/linear_svm.hpp"

namespace diffuse {
namespace {

constexpr std::uint64_t kSeed = 1;  // of the solver's order: any will do
constexpr std::int64_t kFolds = 5;
/// Rows that are enough to find one factor.
constexpr std::size_t kEnoughRows = 5000;

}  // namespace

NgramRows weighed_rows(const DatasetView& view, const std::vector<float>& scale,
                       NgramWeighting weighting) {
  constexpr std::size_t kBlockRows = 1024;
  NgramRows rows;
  NgramTexts texts;
  for (std::size_t first = 0; first < view.size(); first += kBlockRows) {
    texts.values.clear();
    texts.offsets.assign(1, 0);
    for (std::size_t i = first; i < std::min(view.size(), first + kBlockRows); ++i) {
      const auto row = view.data->ngrams().row(view.rows[i]);
      const std::size_t begin = texts.values.size();
      texts.values.insert(texts.values.end(), row.begin(), row.end());
      weigh_ngrams(std::span(texts.values).subspan(begin), scale, weighting);
      texts.offsets.push_back(std::ssize(texts.values));
    }
    rows.append(texts);
  }
  return rows;
}

namespace {

/// How much each row counts; empty where all count the same.
std::vector<float> importance_of(const DatasetView& view) {
  const RowTargets& targets = view.data->targets();
  std::vector<float> importance;
  if (!targets.weighted()) return importance;
  for (const std::uint32_t row : view.rows) importance.push_back(targets.weight(row));
  return importance;
}

/// The factor that makes `logits` calibrated.
double calibrating_factor(std::span<const float> logits, const Gold& gold) {
  constexpr double kUsual = 3;  // of margins around 1
  return fit_factors(std::vector<float>(logits.size()), logits, gold, {0, kUsual}).ngrams;
}

}  // namespace

double calibrated_loss(std::span<const float> logits, const Gold& gold) {
  std::vector<float> none(logits.size());
  return mean_loss(none, logits, gold, {0, calibrating_factor(logits, gold)});
}

TrainedNgrams train_ngrams(const NgramConfig& config, const DatasetView& train,
                           const DatasetView& validation, std::int64_t features,
                           std::int64_t classes, WorkerPool& pool) {
  const double start_s = steady_now_s();
  std::vector<float> scale = ngram_scale(train, features, classes, config.weighting);
  const NgramRows rows = weighed_rows(train, scale, config.weighting);
  const Gold gold = gold_of(train, classes);
  const std::vector<float> importance = importance_of(train);
  std::vector<std::uint32_t> which(train.size());
  std::iota(which.begin(), which.end(), 0U);
  const LinearSvm svm({.rows = rows,
                       .which = which,
                       .labels = gold.labels,
                       .has = gold.has,
                       .importance = importance,
                       .classes = classes,
                       .features = features,
                       .cost = config.cost,
                       .seed = kSeed},
                      pool);
  TrainedNgrams trained{NgramModel(config.weighting, std::move(scale), svm.weights()), {}};
  trained.factor_is_set = config.factor > 0;
  if (trained.factor_is_set) {
    trained.factors.ngrams = config.factor;
  } else if (validation.size() > 0) {
    trained.factors.ngrams =
        calibrating_factor(trained.model.logits(validation, pool), gold_of(validation, classes));
  } else {
    const std::int64_t needed = train.size() > kEnoughRows * kFolds ? 1 : kFolds;
    const OutOfFold others = svm.out_of_fold(kFolds, needed);
    const Gold seen = gold.at(others.places);
    trained.factors.ngrams = calibrating_factor(others.logits, seen);
    trained.unseen_accuracy = accuracy_of(others.logits, seen);
  }
  trained.time_s = steady_now_s() - start_s;
  return trained;
}

}  // namespace diffuse
