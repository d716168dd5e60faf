#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chunks.hpp"
#include "thread_memory.hpp"

namespace diffuse::cpu {

/// The outputs of the texts of a batch that are cut into pieces, put together from those of the
/// pieces, and their gradients.
class LongTexts {
 public:
  explicit LongTexts(const DiffusionPlan& plan) : plan_(plan) {}

  /// Makes room for the batch's pieces.
  void begin(const ChunkPlan& deal, std::span<const std::int32_t> offsets);

  /// Takes in the last states of a piece: its own rows in `memory`. Several threads may call it,
  /// each for another piece. `for_gradient`: count what shares a maximum, too.
  void add_piece(std::int64_t piece, const ThreadMemory& memory, bool for_gradient);
  /// Puts the texts' outputs together, after all pieces, in the order of their rows.
  void combine();

  std::span<const std::int64_t> texts() const { return deal_->cut_texts(); }
  /// One text after the other, `[texts, output_dim]` or `[their rows, D]`, and the gradient.
  const float* outputs() const { return outputs_.data(); }
  float* gradients() { return gradients_.data(); }
  /// Where the `cut`-th text's part of them begins, in rows; its end is where the next one's does.
  std::int64_t row_of(std::int64_t cut) const { return rows_[static_cast<std::size_t>(cut)]; }
  std::int64_t output_width() const { return plan_.spec.output_dim(); }

  /// Takes over the gradients that were written to gradients().
  void read_gradients();
  /// The gradient of a piece's last states into `memory.workspace.gradient`.
  void spread(std::int64_t piece, const ThreadMemory& memory) const;

 private:
  std::int64_t pooled_size() const;
  const Piece& piece_at(std::int64_t index) const {
    return deal_->pieces()[static_cast<std::size_t>(index)];
  }
  std::int64_t length_of(const Piece& piece) const {
    return lengths_[static_cast<std::size_t>(piece.cut)];
  }
  void add_to_pooled(const Piece& piece, const float* from, const float* ties, bool is_first);

  const DiffusionPlan& plan_;
  const ChunkPlan* deal_ = nullptr;
  std::vector<std::int64_t> lengths_;    // of the cut texts
  std::vector<std::int64_t> rows_;       // [texts + 1], see row_of
  std::vector<float> parts_;             // [pieces, pooled_size] pooled
  std::vector<float> part_ties_;         // [pieces, D]
  std::vector<float> pooled_;            // [texts, pooled_size]
  std::vector<float> pooled_gradients_;  // the same shape
  std::vector<float> ties_;              // [texts, D]
  std::vector<float> outputs_;
  std::vector<float> gradients_;
};

}  // namespace diffuse::cpu
