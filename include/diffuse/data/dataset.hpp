#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/chunk_memory.hpp"
#include "diffuse/data/ngram_rows.hpp"
#include "diffuse/data/row_targets.hpp"

namespace diffuse {

/// Texts that `tokenizer.max_tokens` cut.
struct CutTexts {
  std::int64_t rows = 0;
  std::int64_t tokens = 0;         ///< that they have in all
  std::int64_t unread_tokens = 0;  ///< of them, those behind the cut
};

/// Token ids, labels and source lines of the rows of one file, in file order.
/// Ids and rows stand in chunks of a fixed size, so growing never copies. An id takes 2 bytes, or 4
/// in a chunk that has one beyond 65,535: memory is at most 4/3 x that a token and 20 bytes a row,
/// plus one chunk of each, and what RowTargets says. Where the memory is, ChunkMemory decides, or a
/// file of the cache, whose rows are looked at where they stand (`map_rows`).
class EncodedDataset {
 public:
  /// Tokens of one chunk (512 KiB). A sequence never straddles chunks; one longer than a quarter of
  /// a chunk has an allocation of its own, so a chunk's unused end is less than a quarter of it.
  static constexpr std::size_t kChunkTokens = std::size_t{1} << 18;
  static constexpr std::size_t kChunkRows = 4096;
  /// Labels are stored in 24 bits.
  static constexpr std::int32_t kMaxLabel = (1 << 24) - 2;

  /// The part of a row that has a fixed size, as it lies in memory and in a file of the cache.
  struct Row {
    std::uint64_t position : 40;      // chunk << kChunkBits | place in the chunk
    std::uint64_t label_plus_1 : 24;  // 0: unlabelled
    std::int32_t length;
    std::uint32_t line;
  };
  static_assert(sizeof(Row) == 16);

  EncodedDataset() = default;
  /// Whose chunks, beyond `heap_bytes` of them, stand in a file without a name in `folder`, as the
  /// n-grams beyond NgramRows::kHeapBytes do.
  explicit EncodedDataset(const std::filesystem::path& folder,
                          std::size_t heap_bytes = ChunkMemory::kHeapBytes)
      : memory_(std::make_unique<ChunkMemory>(folder, heap_bytes)), ngrams_(folder) {}

  /// Rows that stand in a mapped file, which is kept open: the ids' lower halves, their upper ones
  /// (null: all 0), each row's in turn.
  struct MappedRows {
    std::shared_ptr<const MappedFile> file;
    std::span<const Row> rows;
    const std::uint32_t* marks;
    const std::uint16_t* low;
    const std::uint16_t* high;
    std::int64_t tokens;
  };
  /// To be called on an empty object. The rows have been checked; `targets`: what they want beside
  /// their labels.
  void map_rows(const MappedRows& mapped, RowTargets targets);
  /// Bytes in files, not in memory of the process's own.
  std::size_t file_bytes() const {
    return mapped_ ? mapped_->bytes().size() : memory_->file_bytes();
  }

  /// To be called before rows are drawn at random.
  void expect_random_reads() const {
    if (mapped_) mapped_->expect_random_reads();
  }
  /// Has what is mapped of the rows' ids read from the disk, all at once, while something else is
  /// done.
  void prefetch(std::span<const std::uint32_t> rows) const;

  /// Appends a row. The label is -1 for an unlabelled row and one of a class that the model lacks;
  /// `line` is where the row starts in its file, `mark` see there. Throws DataError if the label or
  /// the number of rows is beyond what the layout holds.
  void append(std::span<const std::int32_t> tokens, const RowTarget& target, std::uint32_t line,
              std::uint32_t mark = 0);
  /// Replaces every token t by to[t], and every mark by 0 where none of the row's tokens becomes
  /// `unknown`, on the threads of `pool`.
  void map_tokens(std::span<const std::int32_t> to, std::int32_t unknown, WorkerPool& pool);
  /// Replaces every label l >= 0, those of soft labels included, by to[l].
  void map_labels(std::span<const std::int32_t> to);
  /// Of rows of several labels each gets the one of them that the fewest rows have as its `label`,
  /// the lower one of equals: so whoever deals rows out by their labels gives every part some of
  /// the rare ones. Of others nothing changes.
  void choose_rarest_labels(std::int64_t classes);
  /// Multiplies every row's weight by its class's, [C].
  void weigh_classes(std::span<const double> weights);

  std::size_t size() const { return size_; }
  std::int64_t token_count() const { return token_count_; }
  /// Writes the row's ids to `to`, which has room for length(index) of them.
  void copy_tokens(std::size_t index, std::int32_t* to) const;
  /// The same into `to`, which is made as long, and returned.
  std::span<const std::int32_t> tokens(std::size_t index, std::vector<std::int32_t>& to) const {
    to.resize(static_cast<std::size_t>(length(index)));
    copy_tokens(index, to.data());
    return to;
  }
  /// The row's part of a fixed size.
  const Row& row(std::size_t index) const { return row_at(index); }
  /// Whether an id may be beyond 65,535.
  bool wide() const;
  std::int32_t length(std::size_t index) const { return row_at(index).length; }
  /// Of a row of several labels (RowTargets::several) the first of them that the model has, or,
  /// after choose_rarest_labels, the rarest; -1 without any.
  std::int32_t label(std::size_t index) const {
    return static_cast<std::int32_t>(row_at(index).label_plus_1) - 1;
  }
  /// Whether rows have any number of labels.
  bool several_labels() const { return targets_.several(); }
  /// Equal for rows of the same label or labels.
  std::uint64_t label_key(std::size_t index) const;
  /// 1-based line of the source file on which the row starts.
  std::uint32_t line(std::size_t index) const { return row_at(index).line; }
  /// What tells texts of the same ids apart: a hash of the text where one of its words is not in
  /// the vocabulary, 0 where the ids say all.
  std::uint32_t mark(std::size_t index) const {
    return mark_chunks_[index / kChunkRows][index % kChunkRows];
  }

  /// The rows' n-grams, where they are read; else empty.
  const NgramRows& ngrams() const { return ngrams_; }
  NgramRows& ngrams() { return ngrams_; }

  /// What rows want beside their labels.
  const RowTargets& targets() const { return targets_; }

  const CutTexts& cut_texts() const { return cut_texts_; }
  void set_cut_texts(const CutTexts& cut) { cut_texts_ = cut; }

  /// Bad rows of the file that are not here (`data.on_error` = skip).
  std::size_t skipped_rows() const { return bad_rows_; }
  /// For each row of the file that is not here, in file order, how many rows of this data set stand
  /// before it, and how many of them are bad ones; the others belong to another part of the file.
  void set_skipped_rows(std::vector<std::uint32_t> rows_before, std::size_t bad) {
    skipped_before_ = std::move(rows_before);
    bad_rows_ = bad;
  }
  /// 1-based number of the row among all rows of its file, left-out ones and no header counted.
  std::uint64_t number(std::size_t index) const;

  /// Bytes allocated by this object, unused ends of chunks included, mapped files not.
  std::size_t memory_bytes() const;

 private:
  static constexpr unsigned kChunkBits = 18;
  /// Halves of ids.
  struct TokenChunk {
    std::size_t tokens = 0;
    ChunkPiece<std::uint16_t> low{};
    ChunkPiece<std::uint16_t> high{};  // null: all 0

    void hold_high(ChunkMemory& memory) {
      if (!high) high = memory.take<std::uint16_t>(tokens);
    }
    std::int32_t get(std::size_t place) const {
      return low[place] | (high ? std::int32_t{high[place]} << 16 : 0);
    }
    void set(std::size_t place, std::int32_t id) {
      low[place] = static_cast<std::uint16_t>(id);
      if (high) high[place] = static_cast<std::uint16_t>(id >> 16);
    }
  };
  static_assert(kChunkTokens == std::size_t{1} << kChunkBits);

  const Row& row_at(std::size_t index) const {
    return row_chunks_[index / kChunkRows][index % kChunkRows];
  }
  static void set_label(Row& row, std::int32_t label);
  std::uint64_t add_chunk(std::size_t tokens);
  void own_rows(std::size_t first_chunk);

  // Before all that points into them.
  std::unique_ptr<ChunkMemory> memory_ = std::make_unique<ChunkMemory>();
  std::shared_ptr<const MappedFile> mapped_;  // null: nothing of this is
  std::vector<TokenChunk> token_chunks_;
  std::vector<ChunkPiece<Row>> row_chunks_;
  std::vector<ChunkPiece<std::uint32_t>> mark_chunks_;  // as row_chunks_
  std::size_t open_chunk_ = 0;                          // the chunk that short sequences go into
  std::size_t open_used_ = 0;                           // tokens used of it
  bool has_open_chunk_ = false;
  std::size_t size_ = 0;
  std::int64_t token_count_ = 0;
  std::vector<std::uint32_t> skipped_before_;  // for each left-out row, the rows here before it
  std::size_t bad_rows_ = 0;                   // of them
  CutTexts cut_texts_;
  NgramRows ngrams_;
  RowTargets targets_;
};

/// Some rows of a data set, by index. The data set must outlive the view.
struct DatasetView {
  const EncodedDataset* data = nullptr;
  std::vector<std::uint32_t> rows;

  std::size_t size() const { return rows.size(); }
  std::int64_t token_count() const;
};

/// All rows of `data`.
DatasetView view_all(const EncodedDataset& data);

/// Rows of each of `classes` classes; those without a label count nowhere, those of several with
/// each of them.
std::vector<std::int64_t> count_classes(const DatasetView& view, std::int64_t classes);

}  // namespace diffuse
