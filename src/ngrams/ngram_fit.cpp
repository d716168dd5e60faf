#include "diffuse/ngrams/ngram_fit.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "diffuse/base/random.hpp"
#include "diffuse/ngrams/ngram_folds.hpp"

namespace diffuse {
namespace {

constexpr std::uint64_t kSeed = 1;  // of the solver's order and the rows drawn: any will do

/// `most` rows of `view`, in its order, each as likely as any other; all where there are no more.
DatasetView drawn_rows(const DatasetView& view, std::int64_t most) {
  const auto wanted = static_cast<std::size_t>(most);
  if (wanted == 0 || view.size() <= wanted) return view;
  DatasetView drawn{view.data, {}};
  drawn.rows.reserve(wanted);
  Random random(kSeed);
  for (std::size_t i = 0; drawn.size() < wanted; ++i)
    if (random.below(view.size() - i) < wanted - drawn.size()) drawn.rows.push_back(view.rows[i]);
  return drawn;
}

/// The n-grams of `view`, weighed, as rows 0, 1, 2, … of their own.
NgramRows weighed_rows(const DatasetView& view, const std::vector<float>& scale,
                       NgramWeighting weighting) {
  constexpr std::size_t kBlockRows = 1024;
  NgramRows rows = view.data->ngrams().empty_copy();
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

/// How much each row counts; empty where all count the same.
std::vector<float> importance_of(const DatasetView& view) {
  const RowTargets& targets = view.data->targets();
  std::vector<float> importance;
  if (!targets.weighted()) return importance;
  for (const std::uint32_t row : view.rows) importance.push_back(targets.weight(row));
  return importance;
}

std::vector<std::uint32_t> first_numbers(std::size_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

}  // namespace

NgramFit::NgramFit(const NgramConfig& config, DatasetView view, std::int64_t features,
                   std::int64_t classes, WorkerPool& pool)
    : config_(config),
      view_(std::move(view)),
      trained_(drawn_rows(view_, config.max_rows)),
      features_(features),
      classes_(classes),
      pool_(pool),
      scale_(ngram_scale(trained_, features, classes, config.weighting)),
      rows_(weighed_rows(trained_, scale_, config.weighting)),
      gold_(gold_of(trained_, classes)),
      importance_(importance_of(trained_)),
      which_(first_numbers(trained_.size())) {}

Gold NgramFit::gold_at(std::span<const std::size_t> places) const {
  DatasetView some{view_.data, {}};
  for (const std::size_t place : places) some.rows.push_back(view_.rows[place]);
  return gold_of(some, classes_);
}

const LinearSvm& NgramFit::svm() const {
  if (!svm_)
    svm_.emplace(LinearProblem{.rows = rows_,
                               .which = which_,
                               .labels = gold_.labels,
                               .has = gold_.has,
                               .importance = importance_,
                               .classes = gold_.classes,
                               .features = features_,
                               .cost = config_.cost,
                               .seed = kSeed},
                 pool_);
  return *svm_;
}

NgramModel NgramFit::model() const { return {config_.weighting, scale_, svm().weights()}; }

OutOfFold NgramFit::out_of_fold(std::int64_t folds, std::int64_t needed) const {
  std::vector<std::int64_t> fold_of =
      deal_to_folds(view_, draws() ? gold_of(view_, classes_).labels : gold_.labels, folds);
  OutOfFold found = draws() || config_.weighting == NgramWeighting::naive_bayes
                        ? trained_anew(fold_of, needed)
                        : svm().out_of_fold(fold_of, needed);
  found.fold_of = std::move(fold_of);
  return found;
}

OutOfFold NgramFit::trained_anew(std::span<const std::int64_t> fold_of, std::int64_t needed) const {
  const auto classes = static_cast<std::size_t>(classes_);
  OutOfFold found;
  for (std::size_t i = 0; i < view_.size(); ++i)
    if (fold_of[i] < needed) found.places.push_back(i);
  found.logits.resize(found.places.size() * classes);
  for (std::int64_t fold = 0; fold < needed; ++fold) {
    DatasetView others{view_.data, {}};
    DatasetView own{view_.data, {}};
    auto trained = trained_.rows.begin();
    for (std::size_t i = 0; i < view_.size(); ++i) {
      const bool is_trained = trained != trained_.rows.end() && *trained == view_.rows[i];
      if (is_trained) ++trained;
      if (fold_of[i] == fold)
        own.rows.push_back(view_.rows[i]);
      else if (is_trained)
        others.rows.push_back(view_.rows[i]);
    }
    const std::vector<float> answers =
        NgramFit(config_, others, features_, classes_, pool_).model().logits(own, pool_);
    auto from = answers.begin();
    for (std::size_t k = 0; k < found.places.size(); ++k) {
      if (fold_of[found.places[k]] != fold) continue;
      std::copy_n(from, classes, found.logits.begin() + static_cast<std::ptrdiff_t>(k * classes));
      from += static_cast<std::ptrdiff_t>(classes);
    }
  }
  return found;
}

}  // namespace diffuse
