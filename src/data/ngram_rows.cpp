#include "diffuse/data/ngram_rows.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "diffuse/base/error.hpp"

namespace diffuse {

NgramRows::NgramRows(std::filesystem::path folder, std::size_t heap_bytes)
    : folder_(std::move(folder)),
      heap_bytes_(heap_bytes),
      memory_(std::make_unique<ChunkMemory>(folder_, heap_bytes, "the rows' n-grams")) {}

std::size_t NgramRows::rows_of(std::size_t block) const {
  return std::min(kBlockRows, size_ - block * kBlockRows);
}

void NgramRows::close_block() {
  // At least one: nothing would be no place.
  ChunkPiece<NgramValue> values = memory_->take<NgramValue>(std::max<std::size_t>(open_.size(), 1));
  std::copy(open_.begin(), open_.end(), values.get());
  blocks_.back()->values = std::move(values);
  open_.clear();
}

void NgramRows::append(const NgramTexts& texts) {
  for (std::size_t i = 0; i + 1 < texts.offsets.size(); ++i) {
    const std::size_t place = size_ % kBlockRows;
    if (place == 0) {
      if (size_ > 0) close_block();
      blocks_.push_back(std::make_unique<Block>());
    }
    const auto begin = texts.values.begin();
    open_.insert(open_.end(), begin + texts.offsets[i], begin + texts.offsets[i + 1]);
    if (open_.size() > std::numeric_limits<std::uint32_t>::max())
      throw DataError(
          "256 rows have more than 2^32 n-grams: expected shorter texts, or a lower ngrams.max or "
          "ngrams.char_max.");
    blocks_.back()->ends[place] = static_cast<std::uint32_t>(open_.size());
    ++size_;
  }
}

template <class To>
void NgramRows::map_block(const To& to, std::size_t number) {
  Block& block = *blocks_[number];
  NgramValue* const values = block.values ? block.values.get() : open_.data();
  std::size_t begin = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows_of(number); ++i) {
    const std::size_t first = kept;
    for (std::size_t k = begin; k < block.ends[i]; ++k)
      if (const std::int32_t id = to(values[k].id); id >= 0) values[kept++] = {id, values[k].value};
    kept = first + sort_ngrams({values + first, kept - first});
    begin = block.ends[i];
    block.ends[i] = static_cast<std::uint32_t>(kept);
  }
  if (block.values)
    block.values.shrink(std::max<std::size_t>(kept, 1));
  else
    open_.resize(kept);
}

template <class To>
void NgramRows::map_by(const To& to, WorkerPool& pool) {
  constexpr std::size_t kBlocks = 16;  // of a task
  pool.run(static_cast<std::int64_t>((blocks_.size() + kBlocks - 1) / kBlocks),
           [&](std::int64_t task, std::int64_t) {
             const std::size_t first = static_cast<std::size_t>(task) * kBlocks;
             for (std::size_t block = first; block < std::min(first + kBlocks, blocks_.size());
                  ++block)
               map_block(to, block);
           });
}

void NgramRows::map(std::span<const std::int32_t> to, WorkerPool& pool) {
  map_by([to](std::int32_t id) { return to[static_cast<std::size_t>(id)]; }, pool);
}

void NgramRows::map(const NumberMap& to, WorkerPool& pool) {
  map_by([&to](std::int32_t id) { return to[id]; }, pool);
}

std::int64_t NgramRows::count() const {
  std::int64_t count = 0;
  for (std::size_t block = 0; block < blocks_.size(); ++block)
    count += blocks_[block]->ends[rows_of(block) - 1];
  return count;
}

}  // namespace diffuse
