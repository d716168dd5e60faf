#include "equal_texts.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>

#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

std::uint64_t text_key(const EncodedDataset& data, std::size_t row) {
  const auto ids = data.tokens(row);
  const std::string_view bytes(reinterpret_cast<const char*>(ids.data()), ids.size_bytes());
  return mix_seed(std::hash<std::string_view>()(bytes), data.mark(row));
}

}  // namespace

std::vector<std::uint64_t> text_keys(const EncodedDataset& data) {
  std::vector<std::uint64_t> keys(data.size());
  for (std::size_t row = 0; row < keys.size(); ++row) keys[row] = text_key(data, row);
  return keys;
}

std::vector<std::uint32_t> rows_by_text(const std::vector<std::uint64_t>& keys) {
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
    if (std::any_of(begin, end, [&](auto row) { return data.label(row) != data.label(*begin); })) {
      ++found.texts;
      found.rows += end - begin;
    }
    begin = end;
  }
  return found;
}

std::int64_t count_shared_texts(const DatasetView& view, const DatasetView& others) {
  std::vector<std::uint64_t> keys;
  keys.reserve(others.size());
  for (const std::uint32_t row : others.rows) keys.push_back(text_key(*others.data, row));
  std::sort(keys.begin(), keys.end());
  return std::count_if(view.rows.begin(), view.rows.end(), [&](std::uint32_t row) {
    return std::binary_search(keys.begin(), keys.end(), text_key(*view.data, row));
  });
}

}  // namespace diffuse
