#include "diffuse/ngrams/prune_ngrams.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "diffuse/base/error.hpp"

namespace diffuse {

std::vector<double> ngram_influence(const NgramModel& model, const DatasetView& view) {
  const std::vector<float>& scale = model.scale();
  const auto classes = static_cast<std::size_t>(model.classes());
  std::vector<std::int64_t> rows_with(scale.size());
  for (const std::uint32_t row : view.rows)
    for (const NgramValue& ngram : view.data->ngrams().row(row))
      ++rows_with[static_cast<std::size_t>(ngram.id)];
  std::vector<double> influence(scale.size());
  for (std::size_t v = 0; v < scale.size(); ++v) {
    double squares = 0;
    for (const float weight : std::span(model.weights().weights).subspan(v * classes, classes))
      squares += static_cast<double>(weight) * static_cast<double>(weight);
    influence[v] =
        std::sqrt(squares * static_cast<double>(rows_with[v])) * static_cast<double>(scale[v]);
  }
  return influence;
}

PrunedVocabulary prune_vocabulary(const NgramVocabulary& vocabulary, const NgramConfig& config,
                                  bool lowercase, double keep, std::span<const double> influence) {
  if (!(keep > 0 && keep <= 1))
    throw Error("prune_vocabulary: a part above 0 and at most 1 can be kept.");
  if (std::ssize(influence) != vocabulary.size())
    throw Error("prune_vocabulary: the influences are those of another vocabulary.");
  const std::span<const std::uint64_t> own = vocabulary.hashes();
  std::vector<std::size_t> order(own.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return influence[a] > influence[b]; });
  constexpr double kRounding = 1e-6;  // 0.07 · 100 is a little more than 7
  order.resize(
      static_cast<std::size_t>(std::ceil(keep * static_cast<double>(own.size()) - kRounding)));
  std::ranges::sort(order);
  std::vector<std::uint64_t> hashes;
  std::vector<std::int32_t> new_ids(influence.size(), -1);
  for (const std::size_t v : order) {
    new_ids[v] = static_cast<std::int32_t>(hashes.size());
    hashes.push_back(own[v]);
  }
  return {NgramVocabulary(config, lowercase, std::move(hashes), 0), std::move(new_ids)};
}

}  // namespace diffuse
