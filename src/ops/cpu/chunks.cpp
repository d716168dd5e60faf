#include "chunks.hpp"

#include <algorithm>
#include <numeric>

#include "thread_memory.hpp"

namespace diffuse::cpu {
namespace {

// What a piece takes: its arrays stream through the second-level cache, and what is computed twice
// at its ends is little beside it.
constexpr std::int64_t kPieceBytes = std::int64_t{2} * 1024 * 1024;
constexpr std::int64_t kPieceRows = 256;
// A piece is so many times as long as its results reach.
constexpr std::int64_t kPieceReaches = 16;
// Text whose arrays would go through main memory all the time.
constexpr std::int64_t kTextBytes = std::int64_t{16} * 1024 * 1024;
// A text that is more than this part of its batch keeps other threads waiting.
constexpr std::int64_t kBatchPart = 4;

std::int64_t length_of(std::span<const std::int32_t> offsets, std::int64_t text) {
  const auto at = static_cast<std::size_t>(text);
  return offsets[at + 1] - offsets[at];
}

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

void ChunkPlan::deal(std::span<const std::int32_t> offsets, std::int64_t most_rows,
                     std::int64_t slots, const CutRule& rule) {
  order_.resize(offsets.size() - 1);
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(), [&](std::int64_t a, std::int64_t b) {
    const std::int64_t left = length_of(offsets, a);
    const std::int64_t right = length_of(offsets, b);
    return left != right ? left > right : a < b;
  });
  chunks_.clear();
  cut(offsets, rule);
  gather(offsets, most_rows, slots);
  fill_slots(slots);
}

/// Takes the texts that are cut from order_; makes chunks of their pieces.
void ChunkPlan::cut(std::span<const std::int32_t> offsets, const CutRule& rule) {
  cut_texts_.clear();
  pieces_.clear();
  for (const std::int64_t text : order_) {
    const std::int64_t length = length_of(offsets, text);
    if (length < rule.least_rows) break;  // the longest come first
    const auto number = static_cast<std::int64_t>(cut_texts_.size());
    cut_texts_.push_back(text);
    const std::int64_t rows = ceil_divide(length, ceil_divide(length, rule.piece_rows));
    for (std::int64_t at = 0; at < length; at += rows) {
      const RowSpan own{at, std::min(length, at + rows)};
      chunks_.push_back(
          {.rows = own.end - own.begin, .piece = static_cast<std::int64_t>(pieces_.size())});
      pieces_.push_back({number, own});
    }
  }
  order_.erase(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(cut_texts_.size()));
}

/// Makes chunks of whole texts: as many as make the slots come out even.
void ChunkPlan::gather(std::span<const std::int32_t> offsets, std::int64_t most_rows,
                       std::int64_t slots) {
  std::int64_t rows = 0;
  for (const std::int64_t text : order_) rows += length_of(offsets, text);
  const std::int64_t rounds = std::max<std::int64_t>(1, ceil_divide(rows, slots * most_rows));
  const std::int64_t wanted = std::max<std::int64_t>(1, ceil_divide(rows, slots * rounds));
  const auto count = static_cast<std::int64_t>(order_.size());
  const auto length = [&](std::int64_t at) {
    return length_of(offsets, order_[static_cast<std::size_t>(at)]);
  };
  for (std::int64_t at = 0; at < count;) {
    Part chunk{.begin = at};
    do {
      chunk.rows += length(at);
      ++at;
      // Half of the next text over the mark: on average the mark is met.
    } while (at < count && chunk.rows + length(at) / 2 <= wanted);
    chunk.end = at;
    chunks_.push_back(chunk);
  }
}

void ChunkPlan::fill_slots(std::int64_t slots) {
  slot_count_ = std::min<std::int64_t>(slots, static_cast<std::int64_t>(chunks_.size()));
  if (static_cast<std::int64_t>(slots_.size()) < slot_count_)
    slots_.resize(static_cast<std::size_t>(slot_count_));
  for (auto& slot : slots_) slot.clear();
  load_.assign(static_cast<std::size_t>(slot_count_), 0);
  for (std::size_t c = 0; c < chunks_.size(); ++c) {
    const auto least = std::min_element(load_.begin(), load_.end());
    *least += chunks_[c].rows;
    slots_[static_cast<std::size_t>(least - load_.begin())].push_back(static_cast<std::int64_t>(c));
  }
}

std::int64_t reach(const DiffusionSpec& spec) {
  std::int64_t rows = 0;
  for (const auto& shifts : spec.shifts)
    if (!shifts.empty()) rows += std::max(std::abs(shifts.front()), std::abs(shifts.back()));
  return rows;
}

CutRule cut_rule(const DiffusionPlan& plan, std::span<const std::int32_t> offsets, bool again,
                 std::int64_t piece_rows) {
  if (piece_rows > 0) return {.least_rows = piece_rows + 1, .piece_rows = piece_rows};
  const std::int64_t bytes = bytes_a_row(plan, Keep::inputs);
  CutRule rule{.piece_rows =
                   std::max({kPieceRows, kPieceBytes / bytes, kPieceReaches * reach(plan.spec)})};
  rule.least_rows = 2 * rule.piece_rows;
  if (again) {
    const std::int64_t all = offsets.back() - offsets.front();
    rule.least_rows = std::max(rule.least_rows, std::min(kTextBytes / bytes, all / kBatchPart));
  }
  return rule;
}

std::int64_t largest_chunk(const DiffusionPlan& plan, std::int64_t longest) {
  const std::int32_t one_text[] = {0, static_cast<std::int32_t>(longest)};
  CutRule rule = cut_rule(plan, one_text, true, 0);
  // Beside others the text may be a small part of its batch.
  rule.least_rows = std::max(rule.least_rows, kTextBytes / bytes_a_row(plan, Keep::inputs));
  return longest < rule.least_rows
             ? longest
             : std::max(rule.least_rows, rule.piece_rows + 4 * reach(plan.spec));
}

}  // namespace diffuse::cpu
