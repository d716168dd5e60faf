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

enum class Deal {
  texts,   // rows of the same n-grams stay together
  rows,    // each class by itself, from the first fold on
  to_all,  // and beginning where fewest rows of all classes are
};

std::vector<std::int64_t> dealt(const DatasetView& view, std::span<const std::int32_t> labels,
                                std::int64_t folds, Deal how) {
  std::unordered_map<std::uint64_t, std::int64_t> known;
  std::unordered_map<std::int32_t, std::vector<std::int64_t>> rows_of;  // of a class, in each fold
  std::vector<std::int64_t> all(static_cast<std::size_t>(folds));
  std::vector<std::int64_t> fold_of;
  fold_of.reserve(view.size());
  for (std::size_t i = 0; i < view.size(); ++i) {
    std::vector<std::int64_t>& rows = rows_of[labels[i]];
    rows.resize(static_cast<std::size_t>(folds));
    std::size_t least = 0;
    for (std::size_t fold = 1; fold < rows.size(); ++fold)
      if (rows[fold] < rows[least] ||
          (how == Deal::to_all && rows[fold] == rows[least] && all[fold] < all[least]))
        least = fold;
    auto fold = static_cast<std::int64_t>(least);
    const std::span<const NgramValue> ngrams = view.data->ngrams().row(view.rows[i]);
    // Texts of which nothing is known are not the same one.
    if (how == Deal::texts && !ngrams.empty())
      fold = known.try_emplace(key_of(ngrams), fold).first->second;
    ++rows[static_cast<std::size_t>(fold)];
    ++all[static_cast<std::size_t>(fold)];
    fold_of.push_back(fold);
  }
  return fold_of;
}

}  // namespace

std::vector<std::int64_t> deal_to_folds(const DatasetView& view,
                                        std::span<const std::int32_t> labels, std::int64_t folds) {
  std::vector<std::int64_t> fold_of;
  // Of few different texts, such as ten that stand in a hundred rows each, a fold may get none, and
  // of classes that have fewer rows than there are folds.
  for (const Deal how : {Deal::texts, Deal::rows, Deal::to_all}) {
    fold_of = dealt(view, labels, folds, how);
    const auto least =
        how == Deal::texts ? std::max<std::int64_t>(std::ssize(fold_of) / (2 * folds), 1) : 1;
    bool good = true;
    for (std::int64_t fold = 0; fold < folds; ++fold)
      good = good && std::ranges::count(fold_of, fold) >= least;
    if (good) break;
  }
  return fold_of;
}

}  // namespace diffuse
