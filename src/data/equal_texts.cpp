#include "equal_texts.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "diffuse/base/hash.hpp"
#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

/// `held`: memory for the row's ids.
std::uint64_t text_key(const EncodedDataset& data, std::size_t row,
                       std::vector<std::int32_t>& held) {
  const auto ids = data.tokens(row, held);
  const std::string_view bytes(reinterpret_cast<const char*>(ids.data()), ids.size_bytes());
  return mix_seed(hash64(bytes), data.mark(row));
}

}  // namespace

std::vector<std::uint64_t> text_keys(const EncodedDataset& data) {
  std::vector<std::uint64_t> keys(data.size());
  std::vector<std::int32_t> held;
  for (std::size_t row = 0; row < keys.size(); ++row) keys[row] = text_key(data, row, held);
  return keys;
}

std::vector<std::uint32_t> rows_by_text(std::span<const std::uint64_t> keys) {
  std::vector<std::uint32_t> rows(keys.size());
  std::iota(rows.begin(), rows.end(), std::uint32_t{0});
  std::sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
    return keys[a] != keys[b] ? keys[a] < keys[b] : a < b;
  });
  return rows;
}

AmbiguousTexts ambiguous_texts(const EncodedDataset& data) {
  const std::vector<std::uint64_t> keys = text_keys(data);
  const std::vector<std::uint32_t> rows = rows_by_text(keys);
  AmbiguousTexts found;
  for (auto begin = rows.begin(); begin != rows.end();) {
    const auto end =
        std::find_if(begin, rows.end(), [&](auto row) { return keys[row] != keys[*begin]; });
    if (std::any_of(begin, end,
                    [&](auto row) { return data.label_key(row) != data.label_key(*begin); })) {
      ++found.texts;
      found.rows += end - begin;
    }
    begin = end;
  }
  return found;
}

std::vector<std::uint64_t> different_texts(const EncodedDataset& data) {
  std::vector<std::uint64_t> keys = text_keys(data);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::int64_t count_known_texts(const EncodedDataset& data,
                               std::span<const std::uint64_t> different_texts) {
  const std::vector<std::uint64_t> keys = text_keys(data);
  return std::count_if(keys.begin(), keys.end(), [&](std::uint64_t key) {
    return std::binary_search(different_texts.begin(), different_texts.end(), key);
  });
}

SharedTexts count_shared_texts(const DatasetView& view, const DatasetView& others) {
  using Labelled = std::pair<std::uint64_t, std::uint64_t>;  // a text's key and its label's
  std::vector<std::int32_t> held;
  const auto labelled = [&held](const EncodedDataset& data, std::uint32_t row) {
    return Labelled(text_key(data, row, held), data.label_key(row));
  };
  // Those of the view, of which there are fewer, are kept; the others are looked at one by one.
  std::vector<Labelled> own;
  own.reserve(view.size());
  for (const std::uint32_t row : view.rows) own.push_back(labelled(*view.data, row));
  std::vector<Labelled> known = own;
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  std::vector<bool> text_found(known.size());
  std::vector<bool> label_found(known.size());
  for (const std::uint32_t row : others.rows) {
    const Labelled other = labelled(*others.data, row);
    for (auto at = std::lower_bound(known.begin(), known.end(), Labelled(other.first, 0));
         at != known.end() && at->first == other.first; ++at) {
      const auto place = static_cast<std::size_t>(at - known.begin());
      text_found[place] = true;
      if (at->second == other.second) label_found[place] = true;
    }
  }
  SharedTexts shared;
  for (const Labelled& row : own) {
    const auto place =
        static_cast<std::size_t>(std::lower_bound(known.begin(), known.end(), row) - known.begin());
    if (!text_found[place]) continue;
    ++shared.rows;
    if (!label_found[place]) ++shared.relabelled;
  }
  return shared;
}

}  // namespace diffuse
