#include "piecewise_classifier.hpp"

#include <iterator>
#include <numeric>

#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse {
namespace {

/// The pieces' batch, where there are any. A batch without rows on the host was made of pieces.
std::optional<std::pair<Batch, std::vector<std::int32_t>>> pieces_of(const Batch& batch,
                                                                     const PieceRule& rule) {
  if (!batch.host) return std::nullopt;
  std::optional<TextPieces> cut = cut_into_pieces(*batch.host, rule);
  if (!cut) return std::nullopt;
  return std::pair(make_batch(std::move(cut->rows), batch.tokens.device()), std::move(cut->counts));
}

}  // namespace

at::Tensor PiecewiseClassifier::forward(const Batch& batch, const ForwardContext& context) {
  const auto pieces = pieces_of(batch, rule_);
  if (!pieces) return inner_->forward(batch, context);
  const at::Tensor logits = inner_->forward(pieces->first, context);  // [P, C]
  std::vector<std::int32_t> offsets = {0};
  std::partial_sum(pieces->second.begin(), pieces->second.end(), std::back_inserter(offsets));
  return segment_pool(logits, Segments(offsets, logits.options().requires_grad(false)),
                      Pooling::mean);
}

std::vector<std::vector<std::int32_t>> PiecewiseClassifier::embedding_rows(
    const Batch& batch) const {
  const auto pieces = pieces_of(batch, rule_);
  return inner_->embedding_rows(pieces ? pieces->first : batch);
}

}  // namespace diffuse
