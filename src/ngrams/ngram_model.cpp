#include "diffuse/ngrams/ngram_model.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/data/gold.hpp"

namespace diffuse {
namespace {

std::vector<float> inverse_frequencies(const std::vector<std::int64_t>& texts_with,
                                       std::size_t texts) {
  std::vector<float> scale(texts_with.size());
  for (std::size_t v = 0; v < scale.size(); ++v) {
    if (texts_with[v] > 0)
      scale[v] = static_cast<float>(
          1 + std::log(static_cast<double>(1 + texts) / static_cast<double>(1 + texts_with[v])));
  }
  return scale;
}

std::vector<float> class_ratios(const DatasetView& view, std::size_t features,
                                std::int64_t classes) {
  const Gold gold = gold_of(view, classes);
  const auto has = [&](std::size_t i, std::int64_t c) {
    return gold.several ? gold.row(i)[static_cast<std::size_t>(c)] != 0 : gold.labels[i] == c;
  };
  std::vector<double> squares(features);
  std::vector<std::int64_t> inside(features);
  std::vector<std::int64_t> outside(features);
  for (std::int64_t c = 0; c < classes; ++c) {
    throw_if_stopped();  // each class reads all rows
    std::fill(inside.begin(), inside.end(), 1);
    std::fill(outside.begin(), outside.end(), 1);
    auto all_inside = static_cast<double>(features);
    auto all_outside = static_cast<double>(features);
    for (std::size_t i = 0; i < view.size(); ++i) {
      const std::uint32_t row = view.rows[i];
      const bool is_inside = has(i, c);
      for (const NgramValue& ngram : view.data->ngrams().row(row))
        ++(is_inside ? inside : outside)[static_cast<std::size_t>(ngram.id)];
      (is_inside ? all_inside : all_outside) +=
          static_cast<double>(view.data->ngrams().row(row).size());
    }
    for (std::size_t v = 0; v < features; ++v) {
      const double ratio = std::log(static_cast<double>(inside[v]) / all_inside) -
                           std::log(static_cast<double>(outside[v]) / all_outside);
      squares[v] += inside[v] + outside[v] > 2 ? ratio * ratio : 0;
    }
  }
  std::vector<float> scale(features);
  for (std::size_t v = 0; v < features; ++v)
    scale[v] = static_cast<float>(std::sqrt(squares[v] / static_cast<double>(classes)));
  return scale;
}

}  // namespace

std::vector<float> ngram_scale(const DatasetView& view, std::int64_t features, std::int64_t classes,
                               NgramWeighting weighting) {
  const auto size = static_cast<std::size_t>(features);
  if (weighting == NgramWeighting::naive_bayes) return class_ratios(view, size, classes);
  std::vector<std::int64_t> texts_with(size);
  for (const std::uint32_t row : view.rows)
    for (const NgramValue& ngram : view.data->ngrams().row(row))
      ++texts_with[static_cast<std::size_t>(ngram.id)];
  if (weighting == NgramWeighting::tfidf) return inverse_frequencies(texts_with, view.size());
  std::vector<float> scale(size);
  for (std::size_t v = 0; v < size; ++v) scale[v] = texts_with[v] > 0 ? 1.0F : 0.0F;
  return scale;
}

void weigh_ngrams(std::span<NgramValue> text, std::span<const float> scale,
                  NgramWeighting weighting) {
  double squares = 0;
  for (NgramValue& ngram : text) {
    const float own = scale[static_cast<std::size_t>(ngram.id)];
    ngram.value = weighting == NgramWeighting::tfidf && ngram.value > 1
                      ? own * (1 + std::log(ngram.value))
                      : own;
    squares += static_cast<double>(ngram.value) * static_cast<double>(ngram.value);
  }
  if (squares == 0) return;
  const auto factor = static_cast<float>(1 / std::sqrt(squares));
  for (NgramValue& ngram : text) ngram.value *= factor;
}

NgramModel::NgramModel(NgramWeighting weighting, std::vector<float> scale, LinearWeights weights)
    : weighting_(weighting), scale_(std::move(scale)), weights_(std::move(weights)) {
  if (std::ssize(scale_) != weights_.features() || std::ssize(weights_.bias) != weights_.classes)
    throw Error("NgramModel: scale, weights and bias are not of one shape.");
}

void NgramModel::logits(std::span<const NgramValue> text, float* to) const {
  std::vector<NgramValue> weighed(text.begin(), text.end());
  weigh_ngrams(weighed, scale_, weighting_);
  weights_.logits(weighed, to);
}

std::vector<double> NgramModel::contributions(std::span<const NgramValue> text,
                                              std::int32_t label) const {
  std::vector<NgramValue> weighed(text.begin(), text.end());
  weigh_ngrams(weighed, scale_, weighting_);
  std::vector<double> contributions;
  contributions.reserve(weighed.size());
  for (const NgramValue& ngram : weighed) {
    const auto place = static_cast<std::size_t>(ngram.id * classes() + label);
    contributions.push_back(static_cast<double>(ngram.value) *
                            static_cast<double>(weights_.weights[place]));
  }
  return contributions;
}

std::vector<float> NgramModel::logits(const DatasetView& view, WorkerPool& pool) const {
  constexpr std::int64_t kRows = 256;
  std::vector<float> logits(view.size() * static_cast<std::size_t>(classes()));
  const std::int64_t rows = std::ssize(view.rows);
  pool.run((rows + kRows - 1) / kRows, [&](std::int64_t task, std::int64_t) {
    for (std::int64_t i = task * kRows; i < std::min(rows, (task + 1) * kRows); ++i) {
      const std::uint32_t row = view.rows[static_cast<std::size_t>(i)];
      this->logits(view.data->ngrams().row(row), &logits[static_cast<std::size_t>(i * classes())]);
    }
  });
  return logits;
}

}  // namespace diffuse
