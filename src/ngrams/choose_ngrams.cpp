#include "diffuse/ngrams/choose_ngrams.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>

#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/ngrams/branch_factors.hpp"
#include "diffuse/ngrams/ngram_fit.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFolds = 5;
constexpr std::int64_t kNeeded = 2;

/// Better by less than this part, on so many rows, may be chance: what is simpler stays.
double least_gain(std::size_t rows) { return 0.003 + 0.3 / std::sqrt(static_cast<double>(rows)); }

class Chooser {
 public:
  Chooser(const NgramConfig& base, bool lowercase, std::span<const std::string> texts,
          std::span<const std::int32_t> labels, std::span<const std::vector<std::int32_t>> lists,
          std::int64_t classes, WorkerPool& pool)
      : best_(base),
        lowercase_(lowercase),
        texts_(texts.begin(), texts.end()),
        labels_(labels),
        lists_(lists),
        classes_(classes),
        pool_(pool) {
    loss_ = loss_of(best_);
  }

  /// Takes the change where it is better.
  void consider(const std::function<void(NgramConfig&)>& change) {
    NgramConfig other = best_;
    change(other);
    const double loss = loss_of(other);
    const std::size_t seen = labels_.size() * kNeeded / kFolds;
    if (!(loss < (1 - least_gain(std::max<std::size_t>(seen, 1))) * loss_)) return;
    best_ = other;
    loss_ = loss;
  }
  const NgramConfig& best() const { return best_; }

 private:
  /// Of rows that the classifier was trained without.
  double loss_of(const NgramConfig& config) {
    NgramVocabularyBuilder builder(config, lowercase_);
    NgramTexts encoded;
    builder.encode(texts_, pool_, encoded);
    const NgramVocabularyBuilder::Vocabulary made = builder.build();
    EncodedDataset data;
    const std::int32_t token = 0;
    std::vector<ClassShare> shares;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      RowTarget target(labels_[i]);
      target.several = !lists_.empty();
      shares.clear();
      for (std::size_t k = 0; target.several && k < lists_[i].size(); ++k)
        shares.push_back({lists_[i][k], 1});
      target.shares = shares;
      data.append({&token, 1}, target, 0);
    }
    data.choose_rarest_labels(classes_);
    data.ngrams().append(encoded);
    data.ngrams().map(made.final_ids, pool_);
    const NgramFit fit(config, view_all(data), made.vocabulary.size(), classes_, pool_);
    const OutOfFold others = fit.out_of_fold(kFolds, kNeeded);
    const Gold seen = fit.gold().at(others.places);
    const double loss = calibrated_loss(others.logits, seen);
    log::debug(
        "n-grams max {} characters {} min_count {} {}: cross-entropy {:.4f}, accuracy {:.2f} %",
        config.max, config.char_max, config.min_count, enum_name(config.weighting), loss,
        100 * accuracy_of(others.logits, seen));
    return loss;
  }

  NgramConfig best_;
  bool lowercase_;
  std::vector<std::string_view> texts_;
  std::span<const std::int32_t> labels_;
  std::span<const std::vector<std::int32_t>> lists_;
  std::int64_t classes_;
  WorkerPool& pool_;
  double loss_ = 0;
};

}  // namespace

NgramConfig choose_ngrams(const NgramConfig& base, bool lowercase,
                          std::span<const std::string> texts, std::span<const std::int32_t> labels,
                          std::span<const std::vector<std::int32_t>> lists, std::int64_t classes,
                          bool all_rows, WorkerPool& pool) {
  NgramConfig first = base;
  first.max = all_rows ? 1 : 2;
  first.min_count = all_rows ? 1 : 2;
  Chooser chooser(first, lowercase, texts, labels, lists, classes, pool);
  if (all_rows) {
    chooser.consider([](NgramConfig& config) { config.max = 2; });
    chooser.consider([](NgramConfig& config) { config.min_count = 2; });
    // Of few rows the ratios of more classes are too rough.
    if (classes == 2 && lists.empty())
      chooser.consider([](NgramConfig& config) { config.weighting = NgramWeighting::naive_bayes; });
    if (chooser.best().max == 2) chooser.consider([](NgramConfig& config) { config.max = 3; });
  } else {
    // More rows than these have more use for long n-grams, as far as their weights allow for it.
    chooser.consider([](NgramConfig& config) {
      config.weighting = NgramWeighting::naive_bayes;
      config.max = 3;
    });
  }
  chooser.consider([](NgramConfig& config) {
    config.char_min = 3;
    config.char_max = 5;
    config.min_count = 2;
  });
  return chooser.best();
}

}  // namespace diffuse
