#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels.hpp"

namespace diffuse::cpu {

/// Which texts are cut into pieces: those of at least `least_rows` rows, into pieces of about
/// `piece_rows`.
struct CutRule {
  std::int64_t least_rows = std::numeric_limits<std::int64_t>::max();
  std::int64_t piece_rows = 1;
};

/// A piece of a long text: the rows that a chunk answers for.
struct Piece {
  std::int64_t cut = 0;  ///< number of the text among those that are cut
  RowSpan own{};         ///< of the text's rows
};

/// How a batch's texts are dealt out: longest first, into chunks of several texts that fit a
/// thread's cache together, or of a piece of a long one, and those into slots of about as many rows
/// each. Depends on the lengths alone.
class ChunkPlan {
 public:
  struct Part {
    std::int64_t begin = 0;  ///< among the whole texts, longest first
    std::int64_t end = 0;
    std::int64_t rows = 0;
    std::int64_t piece = -1;  ///< number of the piece; -1: whole texts
  };

  /// `most_rows`: of a chunk of more than one text; `slots`: at least 1.
  void deal(std::span<const std::int32_t> offsets, std::int64_t most_rows, std::int64_t slots,
            const CutRule& rule);

  std::span<const std::int64_t> texts(const Part& chunk) const {
    return std::span(order_).subspan(static_cast<std::size_t>(chunk.begin),
                                     static_cast<std::size_t>(chunk.end - chunk.begin));
  }
  const std::vector<Part>& chunks() const { return chunks_; }
  /// Those of the pieces come first.
  std::span<const Piece> pieces() const { return pieces_; }
  /// The texts that are cut, by number, in the order of their pieces.
  std::span<const std::int64_t> cut_texts() const { return cut_texts_; }
  /// The chunks of a slot, by number.
  const std::vector<std::int64_t>& slot(std::int64_t index) const {
    return slots_[static_cast<std::size_t>(index)];
  }
  std::int64_t slot_count() const { return slot_count_; }

 private:
  void cut(std::span<const std::int32_t> offsets, const CutRule& rule);
  void gather(std::span<const std::int32_t> offsets, std::int64_t most_rows, std::int64_t slots);
  void fill_slots(std::int64_t slots);

  std::vector<std::int64_t> order_;
  std::vector<std::int64_t> cut_texts_;
  std::vector<Piece> pieces_;
  std::vector<Part> chunks_;
  std::vector<std::vector<std::int64_t>> slots_;
  std::vector<std::int64_t> load_;
  std::int64_t slot_count_ = 0;
};

/// How many rows to each side a row's result depends on.
std::int64_t reach(const DiffusionSpec& spec);

/// The rule for a batch. `again`: pieces are computed twice, once for the result of their text and
/// once for the gradient, which is worth it for few texts or where their rows would go through main
/// memory. `piece_rows`: 0 for what suits a thread's cache.
CutRule cut_rule(const DiffusionPlan& plan, std::span<const std::int32_t> offsets, bool again,
                 std::int64_t piece_rows);

/// Rows of the largest chunk that there can be with texts of up to `longest` rows.
std::int64_t largest_chunk(const DiffusionPlan& plan, std::int64_t longest);

}  // namespace diffuse::cpu
