#include "pixel_records.hpp"

#include <fmt/core.h>

#include "diffuse/base/error.hpp"

namespace diffuse {

PixelRecords::PixelRecords(const DataInput& input, const ReadOptions& options) : source_(input) {
  if (!options.keep.empty())
    throw DataError(fmt::format("{}: rows of pixels have no other columns to keep ({})",
                                input.path.string(), options.keep.front()));
}

ReadStatus PixelRecords::next(Example& example, BadRow&) {
  std::size_t filled = 0;
  while (filled < row_.size()) {
    const std::size_t read = source_.read(row_.data() + filled, row_.size() - filled);
    if (read == 0) break;
    filled += read;
  }
  if (filled == 0) return ReadStatus::end;
  if (filled < row_.size())
    throw DataError(fmt::format(
        "{}: row {} has {} bytes; expected {} in each, the label and {} values (data.format = "
        "pixels)",
        source_.path().string(), count_ + 1, filled, row_.size(), kValues));
  if (!layout_)
    layout_ =
        RecordLayout{.format = FileFormat::pixels,
                     .columns = 2,
                     .label = ColumnRef{.name = "", .number = 1},
                     .texts = {ColumnRef{.name = "", .number = 2}},
                     .description = "pixels, rows of 1,025 bytes: the label and 1,024 values"};
  example = {};
  example.label = std::to_string(static_cast<unsigned char>(row_.front()));
  example.text.assign(row_.data() + 1, kValues);
  example.line = ++count_;
  return ReadStatus::row;
}

}  // namespace diffuse
