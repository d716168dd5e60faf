#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace diffuse {

/// Token ids, labels and source lines of all rows of one file, in file order.
/// Ids stand in chunks of a fixed size, so growing never copies: memory is 4 bytes a token and
/// 16 a row, plus at most one chunk.
class EncodedDataset {
 public:
  /// Appends a row. `label` is -1 for an unlabelled row; `line` is where the row starts in its file.
  void append(std::span<const std::int32_t> tokens, std::int32_t label, std::uint32_t line);

  std::size_t size() const { return rows_.size(); }
  std::int64_t token_count() const { return token_count_; }
  /// Valid as long as the data set is.
  std::span<const std::int32_t> tokens(std::size_t row) const;
  std::int32_t length(std::size_t row) const { return rows_[row].length; }
  std::int32_t label(std::size_t row) const { return rows_[row].label; }
  /// 1-based line of the source file on which the row starts.
  std::uint32_t line(std::size_t row) const { return rows_[row].line; }

 private:
  struct Row {
    // Chunk number and place in it share 32 bits: see kChunkTokens in dataset.cpp.
    std::uint32_t position;
    std::int32_t length;
    std::int32_t label;
    std::uint32_t line;
  };
  std::vector<std::unique_ptr<std::int32_t[]>> chunks_;
  std::vector<Row> rows_;
  std::int64_t token_count_ = 0;
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

/// Sequences one behind the other, no padding: sequence b is
/// tokens[offsets[b]] .. tokens[offsets[b + 1] - 1].
struct PackedRows {
  std::vector<std::int32_t> tokens;   // [N]
  std::vector<std::int32_t> offsets;  // [B + 1]
  std::vector<std::int64_t> labels;   // [B]
};

/// Packs `rows` of `data` in the given order. No row may be empty.
PackedRows pack_rows(const EncodedDataset& data, std::span<const std::uint32_t> rows);

}  // namespace diffuse
