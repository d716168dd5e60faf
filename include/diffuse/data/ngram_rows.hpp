#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/chunk_memory.hpp"
#include "diffuse/text/ngrams.hpp"

namespace diffuse {

/// The n-grams of a file's rows, in file order: 8 bytes each and 4 a row. The first of them are in
/// memory; where the others stand, ChunkMemory says.
class NgramRows {
 public:
  static constexpr std::size_t kHeapBytes = std::size_t{128} << 20;

  /// All in memory.
  NgramRows() = default;
  /// Those beyond `heap_bytes` stand in a file without a name in `folder`; empty: in memory.
  explicit NgramRows(std::filesystem::path folder, std::size_t heap_bytes = kHeapBytes);

  /// Without a row, whose rows will stand where these do.
  NgramRows empty_copy() const { return NgramRows(folder_, heap_bytes_); }

  /// Appends a row for each text of `texts`. Throws DataError for more than 2^32 n-grams in some
  /// rows that follow each other.
  void append(const NgramTexts& texts);
  /// Replaces every number n by to[n], leaves out those that become -1, and sorts each row by
  /// number, on the threads of `pool`, where they stand.
  void map(std::span<const std::int32_t> to, WorkerPool& pool);
  void map(const NumberMap& to, WorkerPool& pool);

  std::size_t size() const { return size_; }
  /// Of row `index`, ascending by number.
  std::span<const NgramValue> row(std::size_t index) const {
    const Block& block = *blocks_[index / kBlockRows];
    const std::size_t place = index % kBlockRows;
    const std::uint32_t begin = place == 0 ? 0 : block.ends[place - 1];
    return {block.begin(open_) + begin, block.ends[place] - begin};
  }
  /// N-grams of all rows.
  std::int64_t count() const;
  /// Bytes that were given out of the file.
  std::size_t file_bytes() const { return memory_->file_bytes(); }

 private:
  static constexpr std::size_t kBlockRows = 256;
  struct Block {
    ChunkPiece<NgramValue> values{};               // null while rows are added: `open_`
    std::array<std::uint32_t, kBlockRows> ends{};  // of each row, behind its last n-gram

    const NgramValue* begin(const std::vector<NgramValue>& open) const {
      return values ? values.get() : open.data();
    }
  };

  std::size_t rows_of(std::size_t block) const;
  void close_block();
  template <class To>
  void map_by(const To& to, WorkerPool& pool);
  template <class To>
  void map_block(const To& to, std::size_t block);

  std::filesystem::path folder_{};
  std::size_t heap_bytes_ = 0;
  std::unique_ptr<ChunkMemory> memory_ = std::make_unique<ChunkMemory>();
  std::vector<std::unique_ptr<Block>> blocks_{};
  std::vector<NgramValue> open_{};  // of the last block
  std::size_t size_ = 0;
};

}  // namespace diffuse
