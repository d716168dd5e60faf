#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/text/ngrams.hpp"

namespace diffuse {

/// The n-grams of a file's rows, in file order: 8 bytes each.
class NgramRows {
 public:
  /// Appends a row for each text of `texts`.
  void append(const NgramTexts& texts);
  /// Replaces every number n by to[n], leaves out those that become -1, and sorts each row by
  /// number, on the threads of `pool`.
  void map(std::span<const std::int32_t> to, WorkerPool& pool);

  std::size_t size() const { return rows_.size(); }
  /// Of row `index`, ascending by number.
  std::span<const NgramValue> row(std::size_t index) const {
    const Row& row = rows_[index];
    return {blocks_[row.block].data() + row.begin, row.length};
  }
  /// N-grams of all rows.
  std::int64_t count() const;
  std::size_t memory_bytes() const;

 private:
  struct Row {
    std::uint32_t block = 0;
    std::uint32_t length = 0;
    std::size_t begin = 0;
  };

  std::vector<std::vector<NgramValue>> blocks_;  // as they were appended
  std::vector<Row> rows_;
};

}  // namespace diffuse
