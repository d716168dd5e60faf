#include "diffuse/ngrams/ngram_folds.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "diffuse/base/hash.hpp"

namespace diffuse {
namespace {

/// Of each row the place of the first one that has the same n-grams; of a text of which nothing is
/// known its own, for such are not the same one.
std::vector<std::uint32_t> first_places(const DatasetView& view) {
  std::vector<std::uint64_t> keys;
  keys.reserve(view.size());
  for (const std::uint32_t row : view.rows) {
    const std::span<const NgramValue> ngrams = view.data->ngrams().row(row);
    keys.push_back(hash64({reinterpret_cast<const char*>(ngrams.data()), ngrams.size_bytes()}));
  }
  std::vector<std::uint32_t> order(view.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
  });
  std::vector<std::uint32_t> first(view.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    const bool same = k > 0 && keys[order[k]] == keys[order[k - 1]] &&
                      !view.data->ngrams().row(view.rows[order[k]]).empty();
    first[order[k]] = same ? first[order[k - 1]] : order[k];
  }
  return first;
}

enum class Deal {
  texts,   // rows of the same n-grams stay together
  rows,    // each class by itself, from the first fold on
  to_all,  // and beginning where fewest rows of all classes are
};

std::vector<std::int64_t> dealt(std::span<const std::uint32_t> first,
                                std::span<const std::int32_t> labels, std::int64_t folds,
                                Deal how) {
  std::unordered_map<std::int32_t, std::vector<std::int64_t>> rows_of;  // of a class, in each fold
  std::vector<std::int64_t> all(static_cast<std::size_t>(folds));
  std::vector<std::int64_t> fold_of;
  fold_of.reserve(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    std::vector<std::int64_t>& rows = rows_of[labels[i]];
    rows.resize(static_cast<std::size_t>(folds));
    std::size_t least = 0;
    for (std::size_t fold = 1; fold < rows.size(); ++fold)
      if (rows[fold] < rows[least] ||
          (how == Deal::to_all && rows[fold] == rows[least] && all[fold] < all[least]))
        least = fold;
    const auto fold =
        how == Deal::texts && first[i] < i ? fold_of[first[i]] : static_cast<std::int64_t>(least);
    ++rows[static_cast<std::size_t>(fold)];
    ++all[static_cast<std::size_t>(fold)];
    fold_of.push_back(fold);
  }
  return fold_of;
}

}  // namespace

std::vector<std::int64_t> deal_to_folds(const DatasetView& view,
                                        std::span<const std::int32_t> labels, std::int64_t folds) {
  const std::vector<std::uint32_t> first = first_places(view);
  std::vector<std::int64_t> fold_of;
  // Of few different texts, such as ten that stand in a hundred rows each, a fold may get none, and
  // of classes that have fewer rows than there are folds.
  for (const Deal how : {Deal::texts, Deal::rows, Deal::to_all}) {
    fold_of = dealt(first, labels, folds, how);
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
