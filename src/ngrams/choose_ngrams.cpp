#include "diffuse/ngrams/choose_ngrams.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string_view>

#include "diffuse/base/log.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/ngrams/branch_factors.hpp"
#include "diffuse/ngrams/ngram_fit.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFolds = 5;
constexpr std::int64_t kJudgedRows = 2000;

/// Folds of `rows` rows that are left out, one after the other: as many as enough rows are in.
std::int64_t folds_needed(std::int64_t rows) {
  const std::int64_t needed = (kFolds * kJudgedRows + rows - 1) / std::max<std::int64_t>(rows, 1);
  return std::clamp<std::int64_t>(needed, 2, kFolds);
}

/// N-grams, and what a classifier of them says of rows that it has not seen.
struct Candidate {
  NgramConfig config;
  double loss = 0;
};

/// Judges n-grams by the texts.
class Judge {
 public:
  Judge(bool lowercase, std::span<const std::string> texts, std::span<const std::int32_t> labels,
        std::span<const std::vector<std::int32_t>> lists, std::int64_t classes, WorkerPool& pool)
      : lowercase_(lowercase),
        texts_(texts.begin(), texts.end()),
        labels_(labels),
        lists_(lists),
        classes_(classes),
        needed_(folds_needed(std::ssize(labels))),
        pool_(pool) {}

  Candidate judged(const NgramConfig& config) { return {config, loss_of(config)}; }

  /// Whichever is better, `simple` also where `other` is so by less than what may be chance on so
  /// many rows, or by less than the part `more_gain` besides.
  Candidate clearly_better(const Candidate& simple, const Candidate& other, double more_gain = 0) {
    const auto rows = static_cast<double>(labels_.size()) * static_cast<double>(needed_) / kFolds;
    const double gain = 0.003 + 0.3 / std::sqrt(std::max(rows, 1.0)) + more_gain;
    return other.loss < (1 - gain) * simple.loss ? other : simple;
  }

 private:
  using Counted = std::array<std::int64_t, 4>;

  /// The texts' n-grams, as `config` counts them.
  void count(const NgramConfig& config) {
    // What weights and classifier make of them is another matter.
    const Counted counted = {config.max, config.char_min, config.char_max, config.min_count};
    if (data_ && counted == counted_) return;
    NgramVocabularyBuilder builder(config, lowercase_);
    NgramTexts encoded;
    builder.encode(texts_, pool_, encoded);
    const NgramVocabularyBuilder::Vocabulary made = builder.build();
    data_ = std::make_unique<EncodedDataset>();
    const std::int32_t token = 0;
    std::vector<ClassShare> shares;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      RowTarget target(labels_[i]);
      target.several = !lists_.empty();
      shares.clear();
      for (std::size_t k = 0; target.several && k < lists_[i].size(); ++k)
        shares.push_back({lists_[i][k], 1});
      target.shares = shares;
      data_->append({&token, 1}, target, 0);
    }
    data_->choose_rarest_labels(classes_);
    data_->ngrams().append(encoded);
    data_->ngrams().map(made.final_ids, pool_);
    features_ = made.vocabulary.size();
    counted_ = counted;
  }

  /// Of rows that the classifier was trained without.
  double loss_of(const NgramConfig& config) {
    count(config);
    const NgramFit fit(config, view_all(*data_), features_, classes_, pool_);
    const OutOfFold others = fit.out_of_fold(kFolds, needed_);
    const Gold seen = fit.gold_at(others.places);
    const double loss = calibrated_loss(others.logits, seen);
    log::debug(
        "n-grams max {} characters {} min_count {} {} cost {}: cross-entropy {:.4f}, accuracy "
        "{:.2f} %",
        config.max, config.char_max, config.min_count, enum_name(config.weighting), config.cost,
        loss, 100 * accuracy_of(others.logits, seen));
    return loss;
  }

  bool lowercase_;
  std::vector<std::string_view> texts_;
  std::span<const std::int32_t> labels_;
  std::span<const std::vector<std::int32_t>> lists_;
  std::int64_t classes_;
  std::int64_t needed_;
  WorkerPool& pool_;
  std::unique_ptr<EncodedDataset> data_{};  // the n-grams of `counted_`
  std::int64_t features_ = 0;
  Counted counted_{};
};

NgramConfig with_characters(NgramConfig config) {
  config.char_min = 3;
  config.char_max = 5;
  return config;
}

}  // namespace

NgramConfig choose_ngrams(const NgramConfig& base, bool lowercase,
                          std::span<const std::string> texts, std::span<const std::int32_t> labels,
                          std::span<const std::vector<std::int32_t>> lists, std::int64_t classes,
                          bool all_rows, WorkerPool& pool) {
  Judge judge(lowercase, texts, labels, lists, classes, pool);
  const auto better = [](const Candidate& one, const Candidate& other) {
    return other.loss < one.loss ? other : one;
  };
  NgramConfig first = base;
  first.max = 2;
  first.min_count = 2;
  NgramConfig rare = first;  // may tell more by other weights
  if (all_rows) rare.min_count = 1;
  NgramConfig by_classes = rare;
  by_classes.weighting = NgramWeighting::naive_bayes;
  if (!all_rows) by_classes.max = 3;  // more rows have more use for long ones
  const bool several = !lists.empty();
  Candidate words = judge.judged(first);
  if (!several) words = better(words, judge.judged(by_classes));
  Candidate characters = judge.judged(with_characters(rare));
  if (!several) characters = better(characters, judge.judged(with_characters(by_classes)));
  // What characters know of rare words more texts will tell.
  Candidate best = judge.clearly_better(words, characters, all_rows ? 0 : 0.05);
  const auto vary = [&](auto NgramConfig::*key, auto value) {
    NgramConfig varied = best.config;
    varied.*key = value;
    best = judge.clearly_better(best, judge.judged(varied));
  };
  if (best.config.max == 2) vary(&NgramConfig::max, 3);
  if (all_rows) {
    vary(&NgramConfig::min_count, 3 - best.config.min_count);
    vary(&NgramConfig::cost, base.cost * 0.3);
  }
  return best.config;
}

}  // namespace diffuse
