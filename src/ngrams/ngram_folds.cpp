#include "diffuse/ngrams/ngram_folds.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "diffuse/base/hash.hpp"

namespace diffuse {
namespace {

std::uint64_t key_of(std::span<const NgramValue> ngrams) {
  return hash64({reinterpret_cast<const char*>(ngrams.data()), ngrams.size_bytes()});
}

/// `together`: rows of the same n-grams.
std::vector<std::int64_t> dealt(const DatasetView& view, std::span<const std::int32_t> labels,
                                std::int64_t folds, bool together) {
  std::unordered_map<std::uint64_t, std::int64_t> known;
  std::unordered_map<std::int32_t, std::vector<std::int64_t>> rows_of;  // of a class, in each fold
  std::vector<std::int64_t> fold_of;
  fold_of.reserve(view.size());
  for (std::size_t i = 0; i < view.size(); ++i) {
    std::vector<std::int64_t>& rows = rows_of[labels[i]];
    rows.resize(static_cast<std::size_t>(folds));
    std::int64_t fold = std::ranges::min_element(rows) - rows.begin();
    const std::span<const NgramValue> ngrams = view.data->ngrams().row(view.rows[i]);
    // Texts of which nothing is known are not the same one.
    if (together && !ngrams.empty()) fold = known.try_emplace(key_of(ngrams), fold).first->second;
    ++rows[static_cast<std::size_t>(fold)];
    fold_of.push_back(fold);
  }
  return fold_of;
}

}  // namespace

std::vector<std::int64_t> deal_to_folds(const DatasetView& view,
                                        std::span<const std::int32_t> labels, std::int64_t folds) {
  std::vector<std::int64_t> fold_of = dealt(view, labels, folds, /*together=*/true);
  // Of few different texts, such as ten that stand in a hundred rows each, a fold may get none.
  const auto least = std::ssize(fold_of) / (2 * folds);
  for (std::int64_t fold = 0; fold < folds; ++fold)
    if (std::ranges::count(fold_of, fold) < least) return dealt(view, labels, folds, false);
  return fold_of;
}

}  // namespace diffuse
