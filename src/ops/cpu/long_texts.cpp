#include "long_texts.hpp"

#include <algorithm>

#include "packing.hpp"

namespace diffuse::cpu {
namespace {

void grow(std::vector<float>& buffer, std::int64_t floats) {
  if (static_cast<std::int64_t>(buffer.size()) < floats)
    buffer.resize(static_cast<std::size_t>(floats));
}

}  // namespace

/// Floats of a text's pooled rows, padded; 0 where nothing is pooled.
std::int64_t LongTexts::pooled_size() const {
  if (!plan_.spec.pooling) return 0;
  return plan_.widths.state * (plan_.spec.pooling == Pooling::mean_max ? 2 : 1);
}

void LongTexts::begin(const ChunkPlan& deal, std::span<const std::int32_t> offsets) {
  deal_ = &deal;
  lengths_.clear();
  rows_.assign(1, 0);
  for (const std::int64_t text : deal.cut_texts()) {
    const auto at = static_cast<std::size_t>(text);
    lengths_.push_back(offsets[at + 1] - offsets[at]);
    rows_.push_back(rows_.back() + (plan_.spec.pooling ? 1 : lengths_.back()));
  }
  const auto pieces = static_cast<std::int64_t>(deal.pieces().size());
  const auto texts = static_cast<std::int64_t>(lengths_.size());
  grow(parts_, pieces * pooled_size());
  grow(part_ties_, pieces * plan_.widths.state);
  grow(pooled_, texts * pooled_size());
  grow(pooled_gradients_, texts * pooled_size());
  grow(ties_, texts * plan_.widths.state);
  grow(outputs_, rows_.back() * output_width());
  grow(gradients_, rows_.back() * output_width());
}

void LongTexts::add_piece(std::int64_t index, const ThreadMemory& memory, bool for_gradient) {
  const std::int64_t width = plan_.widths.state;
  const Piece& piece = piece_at(index);
  if (!plan_.spec.pooling) {
    const std::int64_t dim = plan_.widths.dim;
    copy_rows(memory.workspace.state + memory.own.begin * width, width,
              piece.own.end - piece.own.begin, dim,
              outputs_.data() + (row_of(piece.cut) + piece.own.begin) * dim, dim);
    return;
  }
  const std::int64_t bounds[] = {memory.own.begin, memory.own.end};
  const Chunk own{bounds, {0, memory.own.end - memory.own.begin}};
  float* part = parts_.data() + index * pooled_size();
  plan_.kernels.pool(plan_, own, memory.workspace, part);
  if (for_gradient && plan_.spec.pooling != Pooling::mean)
    plan_.kernels.count_ties(plan_, own, memory.workspace, part + pooled_size() - width,
                             part_ties_.data() + index * width);
}

void LongTexts::combine() {
  if (!plan_.spec.pooling) return;
  std::int64_t before = -1;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(deal_->pieces().size()); ++i) {
    const Piece& piece = piece_at(i);
    add_to_pooled(piece, parts_.data() + i * pooled_size(),
                  part_ties_.data() + i * plan_.widths.state, piece.cut != before);
    before = piece.cut;
  }
  const std::int64_t parts = pooled_size() / plan_.widths.state;
  const std::int64_t dim = plan_.widths.dim;
  copy_rows(pooled_.data(), plan_.widths.state, parts * rows_.back(), dim, outputs_.data(), dim);
}

/// The mean first, where there is one, then the maximum and how many rows share it.
void LongTexts::add_to_pooled(const Piece& piece, const float* from, const float* ties,
                              bool is_first) {
  const std::int64_t width = plan_.widths.state;
  float* to = pooled_.data() + piece.cut * pooled_size();
  if (plan_.spec.pooling != Pooling::max) {
    const float share =
        static_cast<float>(piece.own.end - piece.own.begin) / static_cast<float>(length_of(piece));
    for (std::int64_t c = 0; c < width; ++c) to[c] = (is_first ? 0 : to[c]) + share * from[c];
    from += width;
    to += width;
  }
  if (plan_.spec.pooling == Pooling::mean) return;
  float* all_ties = ties_.data() + piece.cut * width;
  for (std::int64_t c = 0; c < width; ++c) {
    if (is_first || from[c] > to[c]) {
      // What is not a number stays: no comparison with it holds.
      to[c] = from[c];
      all_ties[c] = ties[c];
    } else if (from[c] == to[c]) {
      all_ties[c] += ties[c];
    } else if (from[c] != from[c]) {
      to[c] = from[c];
    }
  }
}

void LongTexts::read_gradients() {
  if (!plan_.spec.pooling) return;
  const std::int64_t width = plan_.widths.state;
  const std::int64_t dim = plan_.widths.dim;
  const std::int64_t parts = pooled_size() / width * rows_.back();
  std::fill_n(pooled_gradients_.data(), parts * width, 0.0F);
  copy_rows(gradients_.data(), dim, parts, dim, pooled_gradients_.data(), width);
}

void LongTexts::spread(std::int64_t index, const ThreadMemory& memory) const {
  const Piece& piece = piece_at(index);
  const std::int64_t width = plan_.widths.state;
  const Workspace& workspace = memory.workspace;
  if (plan_.spec.pooling) {
    const WholeText whole{length_of(piece), ties_.data() + piece.cut * width};
    plan_.kernels.unpool(plan_, memory.chunk(), workspace,
                         pooled_.data() + piece.cut * pooled_size(),
                         pooled_gradients_.data() + piece.cut * pooled_size(), &whole);
    return;
  }
  const std::int64_t dim = plan_.widths.dim;
  const std::int64_t count = memory.rows.front().count;
  const std::int64_t first = row_of(piece.cut) + piece.own.begin - memory.own.begin;
  std::fill_n(workspace.gradient, count * width, 0.0F);
  copy_rows(gradients_.data() + first * dim, dim, count, dim, workspace.gradient, width);
}

}  // namespace diffuse::cpu
