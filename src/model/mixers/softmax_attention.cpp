#include <ATen/autocast_mode.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "attention_block.hpp"

namespace diffuse {
namespace {

/// The type of products, where it is a half one that flash attention takes; nothing elsewhere.
std::optional<at::ScalarType> flash_type(const at::Tensor& q) {
  if (!q.is_cuda()) return std::nullopt;
  const at::ScalarType type = at::autocast::is_autocast_enabled(at::kCUDA)
                                  ? at::autocast::get_autocast_dtype(at::kCUDA)
                                  : q.scalar_type();
  if (type != at::kHalf && type != at::kBFloat16) return std::nullopt;
  return type;
}

}  // namespace

at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const TextGrid& grid, double dropout) {
  if (const auto type = flash_type(q)) {
    // Nothing is padded: the texts are told apart by where they begin.
    const at::Tensor offsets = grid.offsets().slice(0, 0, grid.texts() + 1);
    return std::get<0>(at::_flash_attention_forward(
        q.to(*type), k.to(*type), v.to(*type), offsets, offsets, grid.longest(), grid.longest(),
        dropout, /*is_causal=*/false, /*return_debug_mask=*/false));
  }
  const auto heads_first = [&](const at::Tensor& x) { return grid.spread(x).transpose(1, 2); };
  std::optional<at::Tensor> mask;
  if (grid.is_padded()) mask = grid.mask().unsqueeze(1).unsqueeze(1);
  const at::Tensor seen = at::scaled_dot_product_attention(heads_first(q), heads_first(k),
                                                           heads_first(v), mask, dropout);
  return grid.pack(seen.transpose(1, 2));
}

at::Tensor SoftmaxAttention::attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                    const TextGrid& grid) const {
  return softmax_attention(q, k, v, grid, /*dropout=*/0.0);
}

}  // namespace diffuse
