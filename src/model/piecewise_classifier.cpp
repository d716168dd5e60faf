#include "piecewise_classifier.hpp"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/zeros.h>

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
  const auto texts = std::ssize(pieces->second);
  // A copy: the way back reads it when the numbers here are gone.
  const at::Tensor counts =
      at::from_blob(const_cast<std::int32_t*>(pieces->second.data()), {texts}, at::kInt)
          .to(logits.device(), at::kInt, /*non_blocking=*/false, /*copy=*/true);
  const at::Tensor text_of_piece = at::repeat_interleave(counts);
  return at::zeros({texts, logits.size(1)}, logits.options().requires_grad(false))
      .index_add(0, text_of_piece, logits)
      .div(counts.unsqueeze(1));
}

std::vector<std::vector<std::int32_t>> PiecewiseClassifier::embedding_rows(
    const Batch& batch) const {
  const auto pieces = pieces_of(batch, rule_);
  return inner_->embedding_rows(pieces ? pieces->first : batch);
}

}  // namespace diffuse
