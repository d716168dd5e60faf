#include <ATen/autocast_mode.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "attention_block.hpp"
#include "diffuse/device/precision.hpp"

namespace diffuse {
namespace {

/// The type in which products of `x` are computed.
at::ScalarType product_type(const at::Tensor& x) {
  const at::DeviceType device = x.device().type();
  return at::autocast::is_autocast_enabled(device) ? at::autocast::get_autocast_dtype(device)
                                                   : x.scalar_type();
}

at::ScalarType product_type(Precision precision) {
  if (precision == Precision::bf16) return at::kBFloat16;
  return precision == Precision::fp16 ? at::kHalf : at::kFloat;
}

}  // namespace

AttentionKernel attention_kernel(bool computes_bf16, at::ScalarType type, std::int64_t head_width) {
  constexpr std::int64_t kWholeLoads = 8;  // channels: 16 bytes
  constexpr std::int64_t kWidest = 192;
  const bool is_half = type == at::kHalf || type == at::kBFloat16;
  const bool fits = head_width % kWholeLoads == 0 && head_width <= kWidest;
  return computes_bf16 && is_half && fits ? AttentionKernel::flash : AttentionKernel::sdpa;
}

std::string attention_kernel_name(at::Device device, Precision precision, std::int64_t head_width) {
  const AttentionKernel kernel =
      attention_kernel(computes_bf16(device), product_type(precision), head_width);
  return kernel == AttentionKernel::flash ? "flash, unpadded" : kSdpaName;
}

at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const TextGrid& grid, double dropout) {
  const at::ScalarType type = product_type(q);
  if (attention_kernel(computes_bf16(q.device()), type, q.size(2)) == AttentionKernel::flash) {
    // Nothing is padded: the texts are told apart by where they begin.
    const at::Tensor offsets = grid.offsets().slice(0, 0, grid.texts() + 1);
    return std::get<0>(at::_flash_attention_forward(
        q.to(type), k.to(type), v.to(type), offsets, offsets, grid.longest(), grid.longest(),
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
