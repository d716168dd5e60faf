#pragma once

#include <array>
#include <optional>

#include "diffuse/data/byte_source.hpp"
#include "diffuse/data/records.hpp"

namespace diffuse {

/// Rows of 1,025 bytes without anything between them: the label's number and the 32 x 32 values of
/// a picture, row by row. A row's `line` is its number, from 1, its text the values as they are.
class PixelRecords final : public RecordReader {
 public:
  static constexpr std::size_t kValues = 1024;

  PixelRecords(const DataInput& input, const ReadOptions& options);
  /// Throws DataError for a file that ends inside a row.
  ReadStatus next(Example& example, BadRow& bad) override;
  const RecordLayout* layout() const override { return layout_ ? &*layout_ : nullptr; }

 private:
  ByteSource source_;
  std::array<char, kValues + 1> row_{};
  std::uint32_t count_ = 0;
  std::optional<RecordLayout> layout_;  // nothing before the first row
};

}  // namespace diffuse
