#include <ATen/ops/bmm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <fmt/core.h>

#include "attention_block.hpp"
#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

constexpr double kProjectionDeviation = 0.02;

/// `columns` [heads, projected, L] times the rows [B, L, heads, d] of each text and head: [B,
/// heads, projected, d]. All texts in one product: one for each would keep a copy of `columns` for
/// each.
at::Tensor projected(const at::Tensor& columns, const at::Tensor& rows) {
  const at::Tensor by_head = rows.permute({2, 1, 0, 3}).flatten(2);  // [heads, L, B * d]
  return at::bmm(columns, by_head).unflatten(2, {rows.size(0), rows.size(3)}).permute({2, 0, 1, 3});
}

}  // namespace

LinformerAttention::LinformerAttention(const MixerConfig& config, FreshTensors& tensors)
    : projection_(tensors.normal({config.heads, config.projected, config.max_positions},
                                 kProjectionDeviation)) {}

at::Tensor LinformerAttention::attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                      const TextGrid& grid) const {
  if (grid.longest() > projection_.size(2))
    throw UserError(
        fmt::format("A text has {0} tokens, the Linformer takes {1} at most; set "
                    "tokenizer.max_tokens to {1} or "
                    "less, or train with a larger mixer.max_positions.",
                    grid.longest(), projection_.size(2)));
  // Padding is 0 and adds nothing.
  const at::Tensor columns = projection_.narrow(2, 0, grid.longest());
  const at::Tensor seen = at::scaled_dot_product_attention(grid.spread(q).transpose(1, 2),
                                                           projected(columns, grid.spread(k)),
                                                           projected(columns, grid.spread(v)));
  return grid.pack(seen.transpose(1, 2));
}

void LinformerAttention::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".projection", projection_, ParameterRole::matrix);
}

}  // namespace diffuse
