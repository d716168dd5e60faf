#include "split.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

constexpr std::uint64_t kSplitStream = 0x73706c6974;  // "split": apart from the epochs' streams

struct Share {
  std::int32_t label;
  std::size_t rows;   // to validation
  std::size_t limit;  // one row fewer than the class has
  double remainder;
};

}  // namespace

Split split_stratified(const EncodedDataset& data, double fraction, std::int64_t seed) {
  Split split{{&data, {}}, {&data, {}}};
  std::map<std::int32_t, std::vector<std::uint32_t>> classes;
  for (std::size_t i = 0; i < data.size(); ++i) {
    classes[data.label(i)].push_back(static_cast<std::uint32_t>(i));
  }

  const auto wanted =
      static_cast<std::size_t>(std::floor(fraction * static_cast<double>(data.size()) + 0.5));
  std::vector<Share> shares;
  std::size_t given = 0;
  for (const auto& [label, rows] : classes) {
    const double exact = fraction * static_cast<double>(rows.size());
    const std::size_t limit = rows.size() - 1;
    const std::size_t share = std::min(static_cast<std::size_t>(exact), limit);
    shares.push_back({label, share, limit, exact - std::floor(exact)});
    given += share;
  }
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.remainder > b.remainder; });
  for (Share& share : shares) {
    if (given >= wanted) break;
    if (share.rows == share.limit) continue;
    ++share.rows;
    ++given;
  }

  const std::uint64_t stream = mix_seed(static_cast<std::uint64_t>(seed), kSplitStream);
  for (const Share& share : shares) {
    std::vector<std::uint32_t>& rows = classes[share.label];
    Random random(mix_seed(stream, static_cast<std::uint64_t>(share.label)));
    shuffle(rows, random);
    const auto cut = rows.begin() + static_cast<std::ptrdiff_t>(share.rows);
    split.validation.rows.insert(split.validation.rows.end(), rows.begin(), cut);
    split.train.rows.insert(split.train.rows.end(), cut, rows.end());
  }
  std::sort(split.train.rows.begin(), split.train.rows.end());
  std::sort(split.validation.rows.begin(), split.validation.rows.end());
  return split;
}

}  // namespace diffuse
