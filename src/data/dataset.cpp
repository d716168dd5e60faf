#include "diffuse/data/dataset.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"

namespace diffuse {
namespace {

constexpr std::int32_t kLargestLow = std::numeric_limits<std::uint16_t>::max();

}  // namespace

std::uint64_t EncodedDataset::add_chunk(std::size_t tokens) {
  constexpr std::uint64_t kMaxChunks = std::uint64_t{1} << (40 - kChunkBits);
  if (token_chunks_.size() >= kMaxChunks) {
    throw DataError("the data set is too large: its tokens do not fit into 2^40 positions");
  }
  token_chunks_.push_back({tokens, memory_->take<std::uint16_t>(tokens)});
  return token_chunks_.size() - 1;
}

void EncodedDataset::map_rows(const MappedRows& mapped, RowTargets targets) {
  mapped_ = mapped.file;
  size_ = mapped.rows.size();
  token_count_ = mapped.tokens;
  targets_ = std::move(targets);
  const auto tokens = static_cast<std::size_t>(mapped.tokens);
  // Rows may lie across chunks here: these stand one behind the other. They are written nowhere
  // before they have been copied.
  for (std::size_t begin = 0; begin < tokens; begin += kChunkTokens) {
    TokenChunk& chunk = token_chunks_.emplace_back();
    chunk.tokens = std::min(kChunkTokens, tokens - begin);
    chunk.low = {const_cast<std::uint16_t*>(mapped.low + begin), false};  // NOLINT: see above
    if (mapped.high != nullptr)
      chunk.high = {const_cast<std::uint16_t*>(mapped.high + begin), false};  // NOLINT
  }
  for (std::size_t begin = 0; begin < size_; begin += kChunkRows) {
    row_chunks_.emplace_back(const_cast<Row*>(mapped.rows.data() + begin), false);       // NOLINT
    mark_chunks_.emplace_back(const_cast<std::uint32_t*>(mapped.marks + begin), false);  // NOLINT
  }
}

void EncodedDataset::prefetch(std::span<const std::uint32_t> rows) const {
  if (!mapped_) return;
  for (const std::uint32_t index : rows) {
    const Row& row = row_at(index);
    const TokenChunk& chunk = token_chunks_[row.position >> kChunkBits];
    const std::size_t place = row.position & (kChunkTokens - 1);
    const auto length = static_cast<std::size_t>(row.length);
    if (chunk.low.on_heap()) continue;  // one that was appended
    mapped_->will_need(std::as_bytes(std::span(chunk.low.get() + place, length)));
    if (chunk.high) mapped_->will_need(std::as_bytes(std::span(chunk.high.get() + place, length)));
  }
}

/// Copies what is mapped of the rows from chunk `first_chunk` on, so that it may be written.
void EncodedDataset::own_rows(std::size_t first_chunk) {
  if (!mapped_) return;
  for (std::size_t chunk = first_chunk; chunk < row_chunks_.size(); ++chunk) {
    if (row_chunks_[chunk].on_heap()) continue;
    const std::size_t rows = std::min(kChunkRows, size_ - chunk * kChunkRows);
    auto own = memory_->take<Row>(kChunkRows);
    auto marks = memory_->take<std::uint32_t>(kChunkRows);
    std::copy_n(row_chunks_[chunk].get(), rows, own.get());
    std::copy_n(mark_chunks_[chunk].get(), rows, marks.get());
    row_chunks_[chunk] = std::move(own);
    mark_chunks_[chunk] = std::move(marks);
  }
}

void EncodedDataset::set_label(Row& row, std::int32_t label) {
  if (label < -1 || label > kMaxLabel) {
    throw DataError(
        fmt::format("label number {} is out of range; expected at most {}", label, kMaxLabel));
  }
  row.label_plus_1 = static_cast<std::uint64_t>(label + 1) & ((std::uint64_t{1} << 24) - 1);
}

void EncodedDataset::append(std::span<const std::int32_t> tokens, const RowTarget& target,
                            std::uint32_t line, std::uint32_t mark) {
  if (size_ >= std::numeric_limits<std::uint32_t>::max()) {
    throw DataError("the data set is too large: expected fewer than 2^32 rows");
  }
  if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw DataError(
        fmt::format("line {}: {} tokens; expected fewer than 2^31", line, tokens.size()));
  }
  Row row;
  set_label(row, target.label);
  std::uint64_t chunk = 0;
  std::uint64_t place = 0;
  if (tokens.size() > kChunkTokens / 4) {
    chunk = add_chunk(tokens.size());
  } else {
    if (open_used_ + tokens.size() > kChunkTokens || !has_open_chunk_) {
      open_chunk_ = static_cast<std::size_t>(add_chunk(kChunkTokens));
      open_used_ = 0;
      has_open_chunk_ = true;
    }
    chunk = open_chunk_;
    place = open_used_;
    open_used_ += tokens.size();
    // An empty row at the very end of a chunk would point at the next one.
    if (place == kChunkTokens) place = kChunkTokens - 1;
  }
  TokenChunk& to = token_chunks_[chunk];
  if (std::any_of(tokens.begin(), tokens.end(), [](std::int32_t id) { return id > kLargestLow; }))
    to.hold_high(*memory_);
  for (std::size_t i = 0; i < tokens.size(); ++i) to.set(place + i, tokens[i]);
  if (size_ % kChunkRows == 0) {
    row_chunks_.push_back(memory_->take<Row>(kChunkRows));
    mark_chunks_.push_back(memory_->take<std::uint32_t>(kChunkRows));
  } else {
    own_rows(row_chunks_.size() - 1);
  }
  row.position = ((chunk << kChunkBits) | place) & ((std::uint64_t{1} << 40) - 1);
  row.length = static_cast<std::int32_t>(tokens.size());
  row.line = line;
  row_chunks_.back()[size_ % kChunkRows] = row;
  mark_chunks_.back()[size_ % kChunkRows] = mark;
  targets_.append(target);
  ++size_;
  token_count_ += static_cast<std::int64_t>(tokens.size());
}

void EncodedDataset::copy_tokens(std::size_t index, std::int32_t* to) const {
  const Row& row = row_at(index);
  const TokenChunk& chunk = token_chunks_[row.position >> kChunkBits];
  const std::size_t place = row.position & (kChunkTokens - 1);
  std::copy_n(chunk.low.get() + place, row.length, to);
  if (!chunk.high) return;
  for (std::size_t i = 0; i < static_cast<std::size_t>(row.length); ++i)
    to[i] = chunk.get(place + i);
}

bool EncodedDataset::wide() const {
  return std::ranges::any_of(token_chunks_,
                             [](const TokenChunk& chunk) { return bool{chunk.high}; });
}

std::uint64_t EncodedDataset::number(std::size_t index) const {
  const auto behind = std::upper_bound(skipped_before_.begin(), skipped_before_.end(), index);
  return index + 1 + static_cast<std::uint64_t>(behind - skipped_before_.begin());
}

void EncodedDataset::map_tokens(std::span<const std::int32_t> to, std::int32_t unknown,
                                WorkerPool& pool) {
  if (mapped_) throw Error("Rows of a mapped file cannot be given other tokens.");
  const bool high = !to.empty() && *std::max_element(to.begin(), to.end()) > kLargestLow;
  if (high)  // before several threads may want to
    for (TokenChunk& chunk : token_chunks_) chunk.hold_high(*memory_);
  const auto map_row = [&](std::size_t index) {
    const Row& row = row_at(index);
    TokenChunk& chunk = token_chunks_[row.position >> kChunkBits];
    const std::size_t begin = row.position & (kChunkTokens - 1);
    bool any_unknown = false;
    for (std::size_t i = begin; i < begin + static_cast<std::size_t>(row.length); ++i) {
      const std::int32_t id = to[static_cast<std::size_t>(chunk.get(i))];
      chunk.set(i, id);
      any_unknown |= id == unknown;
    }
    if (!any_unknown) mark_chunks_[index / kChunkRows][index % kChunkRows] = 0;
  };
  pool.run(static_cast<std::int64_t>(row_chunks_.size()), [&](std::int64_t chunk, std::int64_t) {
    const std::size_t begin = static_cast<std::size_t>(chunk) * kChunkRows;
    for (std::size_t i = begin; i < std::min(size_, begin + kChunkRows); ++i) map_row(i);
  });
  if (!high)
    for (TokenChunk& chunk : token_chunks_) chunk.high = ChunkPiece<std::uint16_t>();
}

void EncodedDataset::map_labels(std::span<const std::int32_t> to) {
  own_rows(0);
  for (std::size_t i = 0; i < size_; ++i) {
    Row& row = row_chunks_[i / kChunkRows][i % kChunkRows];
    if (row.label_plus_1 == 0) continue;
    if (row.label_plus_1 > to.size()) {
      throw DataError(
          fmt::format("label number {} has no place among {} labels", label(i), to.size()));
    }
    set_label(row, to[row.label_plus_1 - 1]);
  }
  targets_.map_labels(to);
}

void EncodedDataset::choose_rarest_labels(std::int64_t classes) {
  if (!several_labels()) return;
  own_rows(0);
  const std::vector<std::int64_t> rows = count_classes(view_all(*this), classes);
  const auto rows_of = [&](std::int32_t label) { return rows[static_cast<std::size_t>(label)]; };
  for (std::size_t i = 0; i < size_; ++i) {
    std::int32_t rarest = -1;
    for (const ClassShare& own : targets_.shares(i)) {
      if (own.label < 0) continue;
      const bool rarer = rarest < 0 || rows_of(own.label) < rows_of(rarest) ||
                         (rows_of(own.label) == rows_of(rarest) && own.label < rarest);
      if (rarer) rarest = own.label;
    }
    set_label(row_chunks_[i / kChunkRows][i % kChunkRows], rarest);
  }
}

std::uint64_t EncodedDataset::label_key(std::size_t index) const {
  if (!several_labels()) return static_cast<std::uint64_t>(label(index) + 1);
  std::uint64_t key = 0;  // a sum: their order says nothing
  for (const ClassShare& own : targets_.shares(index))
    key += mix_seed(static_cast<std::uint64_t>(own.label + 1), 1);
  return key;
}

void EncodedDataset::weigh_classes(std::span<const double> weights) {
  for (std::size_t i = 0; i < size_; ++i)
    if (const std::int32_t own = label(i); own >= 0)
      targets_.scale_weight(i, static_cast<float>(weights[static_cast<std::size_t>(own)]));
}

std::size_t EncodedDataset::memory_bytes() const {
  std::size_t bytes = 0;
  for (const TokenChunk& chunk : token_chunks_)
    bytes += chunk.tokens * sizeof(std::uint16_t) *
             (std::size_t{chunk.low.on_heap()} + std::size_t{chunk.high.on_heap()});
  for (const auto& chunk : row_chunks_)
    if (chunk.on_heap()) bytes += kChunkRows * (sizeof(Row) + sizeof(std::uint32_t));
  return bytes + token_chunks_.capacity() * sizeof(token_chunks_[0]) +
         row_chunks_.capacity() * sizeof(row_chunks_[0]) +
         mark_chunks_.capacity() * sizeof(mark_chunks_[0]) +
         skipped_before_.capacity() * sizeof(skipped_before_[0]) + targets_.memory_bytes();
}

std::int64_t DatasetView::token_count() const {
  return std::accumulate(
      rows.begin(), rows.end(), std::int64_t{0},
      [this](std::int64_t sum, std::uint32_t row) { return sum + data->length(row); });
}

DatasetView view_all(const EncodedDataset& data) {
  DatasetView view{&data, std::vector<std::uint32_t>(data.size())};
  std::iota(view.rows.begin(), view.rows.end(), std::uint32_t{0});
  return view;
}

std::vector<std::int64_t> count_classes(const DatasetView& view, std::int64_t classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  const auto count = [&](std::int32_t label) {
    if (label >= 0) ++counts.at(static_cast<std::size_t>(label));
  };
  for (const std::uint32_t row : view.rows) {
    if (view.data->several_labels()) {
      for (const ClassShare& own : view.data->targets().shares(row)) count(own.label);
    } else {
      count(view.data->label(row));
    }
  }
  return counts;
}

}  // namespace diffuse
