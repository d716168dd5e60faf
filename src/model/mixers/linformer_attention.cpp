#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <fmt/core.h>

#include "attention_block.hpp"
#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

constexpr double kProjectionDeviation = 0.02;

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
  const auto heads_first = [&](const at::Tensor& x) { return grid.spread(x).transpose(1, 2); };
  // [heads, projected, L]; padding is 0 and adds nothing.
  const at::Tensor columns = projection_.narrow(2, 0, grid.longest());
  const at::Tensor seen = at::scaled_dot_product_attention(
      heads_first(q), at::matmul(columns, heads_first(k)), at::matmul(columns, heads_first(v)));
  return grid.pack(seen.transpose(1, 2));
}

void LinformerAttention::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".projection", projection_, ParameterRole::matrix);
}

}  // namespace diffuse
