#include "diffuse/data/ngram_rows.hpp"

#include <algorithm>

namespace diffuse {

void NgramRows::append(const NgramTexts& texts) {
  const auto block = static_cast<std::uint32_t>(blocks_.size());
  blocks_.emplace_back(texts.values.begin(), texts.values.end());
  for (std::size_t i = 0; i + 1 < texts.offsets.size(); ++i) {
    rows_.push_back({block, static_cast<std::uint32_t>(texts.offsets[i + 1] - texts.offsets[i]),
                     static_cast<std::size_t>(texts.offsets[i])});
  }
}

void NgramRows::map(std::span<const std::int32_t> to, WorkerPool& pool) {
  std::vector<std::size_t> first_rows(blocks_.size() + 1, rows_.size());
  for (std::size_t i = rows_.size(); i-- > 0;) first_rows[rows_[i].block] = i;
  for (std::size_t block = blocks_.size(); block-- > 0;)  // one without a row
    first_rows[block] = std::min(first_rows[block], first_rows[block + 1]);
  pool.run(std::ssize(blocks_), [&](std::int64_t task, std::int64_t) {
    const auto block = static_cast<std::size_t>(task);
    std::vector<NgramValue> mapped;
    mapped.reserve(blocks_[block].size());
    for (std::size_t i = first_rows[block]; i < first_rows[block + 1]; ++i) {
      const std::size_t begin = mapped.size();
      for (const NgramValue& old : row(i)) {
        const std::int32_t id = to[static_cast<std::size_t>(old.id)];
        if (id >= 0) mapped.push_back({id, old.value});
      }
      sort_ngrams(mapped, begin);
      rows_[i].begin = begin;
      rows_[i].length = static_cast<std::uint32_t>(mapped.size() - begin);
    }
    mapped.shrink_to_fit();
    blocks_[block] = std::move(mapped);
  });
}

std::int64_t NgramRows::count() const {
  std::int64_t count = 0;
  for (const auto& block : blocks_) count += std::ssize(block);
  return count;
}

std::size_t NgramRows::memory_bytes() const {
  std::size_t bytes = rows_.capacity() * sizeof(Row);
  for (const auto& block : blocks_) bytes += block.capacity() * sizeof(NgramValue);
  return bytes;
}

}  // namespace diffuse
