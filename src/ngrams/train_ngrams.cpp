#include "diffuse/ngrams/train_ngrams.hpp"

#include <vector>

#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/ngrams/ngram_fit.hpp"

namespace diffuse {
namespace {

/// Rows that are enough to find one factor.
constexpr std::size_t kEnoughRows = 5000;

/// The factor that makes `logits` calibrated.
double calibrating_factor(std::span<const float> logits, const Gold& gold) {
  constexpr double kUsual = 3;  // of margins around 1
  return fit_factors(std::vector<float>(logits.size()), logits, gold, {0, kUsual}).ngrams;
}

TrainedNgrams train_branch_of(const NgramConfig& config, const DatasetView& train,
                              const DatasetView& validation, std::int64_t features,
                              std::int64_t classes, WorkerPool& pool) {
  const double start_s = steady_now_s();
  const NgramFit fit(config, train, features, classes, pool);
  if (fit.trained_rows() < std::ssize(train.rows))
    log::info("n-grams: they are trained on {} of {} rows, drawn evenly (ngrams.max_rows)",
              format_count(fit.trained_rows()), format_count(std::ssize(train.rows)));
  TrainedNgrams trained{fit.model(), {}};
  trained.factor_is_set = config.factor > 0;
  if (trained.factor_is_set) {
    trained.factors.ngrams = config.factor;
  } else if (validation.size() > 0) {
    trained.factors.ngrams =
        calibrating_factor(trained.model.logits(validation, pool), gold_of(validation, classes));
  } else {
    const bool one = train.size() > kEnoughRows * static_cast<std::size_t>(kNgramFolds);
    trained.unseen = fit.out_of_fold(kNgramFolds, one ? 1 : kNgramFolds);
    const Gold seen = fit.gold_at(trained.unseen.places);
    trained.factors.ngrams = calibrating_factor(trained.unseen.logits, seen);
    trained.unseen_accuracy = accuracy_of(trained.unseen.logits, seen);
  }
  trained.time_s = steady_now_s() - start_s;
  return trained;
}

}  // namespace

double calibrated_loss(std::span<const float> logits, const Gold& gold) {
  std::vector<float> none(logits.size());
  return mean_loss(none, logits, gold, {0, calibrating_factor(logits, gold)});
}

TrainedNgrams train_ngrams(const NgramConfig& config, const DatasetView& train,
                           const DatasetView& validation, std::int64_t features,
                           std::int64_t classes, WorkerPool& pool) {
  try {
    return train_branch_of(config, train, validation, features, classes, pool);
  } catch (const Stopped& stop) {
    // There is no checkpoint yet that could hold a part of them.
    log::warning("{}: stopping while the n-grams are trained, of which nothing is kept",
                 signal_name(stop.signal));
    throw;
  }
}

}  // namespace diffuse
