#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/square.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "attention_block.hpp"
#include "diffuse/device/precision.hpp"

namespace diffuse {
namespace {

/// Rows of N(0, 1) that are orthogonal to each other in blocks of `dim`: the directions of a random
/// rotation, each as long as a row of independent numbers would be.
at::Tensor orthogonal_rows(std::int64_t rows, std::int64_t dim, FreshTensors& tensors) {
  std::vector<at::Tensor> blocks;
  for (std::int64_t made = 0; made < rows; made += dim) {
    const at::Tensor directions =
        std::get<0>(at::linalg_qr(tensors.normal({dim, dim}, 1.0), "reduced")).t();
    const at::Tensor lengths = tensors.normal({dim, dim}, 1.0).norm(2, {1}, /*keepdim=*/true);
    blocks.push_back(directions.mul(lengths).narrow(0, 0, std::min(dim, rows - made)));
  }
  return at::cat(blocks).contiguous();
}

}  // namespace

PerformerAttention::PerformerAttention(const MixerConfig& config, std::int64_t head_dim,
                                       std::int64_t block, FreshTensors& tensors)
    : map_(config.feature_map) {
  if (tensors.device().is_meta()) {
    projections_ = tensors.unset({config.features, head_dim});
    return;
  }
  FreshTensors fixed(block + 1);
  projections_ = orthogonal_rows(config.features, head_dim, fixed);
}

at::Tensor PerformerAttention::features(const at::Tensor& x, const TextGrid* of_keys) const {
  constexpr double kReluFloor = 1e-3;
  constexpr double kSoftmaxFloor = 1e-4;
  const auto width = static_cast<double>(x.size(-1));
  // q kᵀ / sqrt(d): a fourth root in each.
  const at::Tensor scaled = x.mul(std::pow(width, -0.25));
  const at::Tensor products = at::linear(scaled, projections_);
  if (map_ == FeatureMap::relu) return at::relu(products).add(kReluFloor);
  const at::Tensor half_norm = at::square(scaled).sum(-1, /*keepdim=*/true).mul(0.5);
  // Any number that is the same for all keys of a text cancels, as does one for each query.
  at::Tensor most = at::amax(products.detach(), {-1}, /*keepdim=*/true);
  if (of_keys != nullptr) {
    if (of_keys->is_padded())
      most = most.masked_fill(of_keys->mask().logical_not().unsqueeze(1).unsqueeze(-1),
                              -std::numeric_limits<double>::infinity());
    most = at::amax(most, {-2}, /*keepdim=*/true);
  }
  return at::exp(products.sub(half_norm).sub(most))
      .add(kSoftmaxFloor)
      .mul(1.0 / std::sqrt(static_cast<double>(projections_.size(0))));
}

at::Tensor PerformerAttention::attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                      const TextGrid& grid) const {
  // Exponentials and their sums over a long text want float32.
  const NoAutocastScope full(q.device());
  const auto heads_first = [&](const at::Tensor& x) {
    return grid.spread(x.to(projections_.scalar_type())).transpose(1, 2);
  };
  const at::Tensor queries = features(heads_first(q), nullptr);  // [B, H, L, M]
  at::Tensor keys = features(heads_first(k), &grid);
  if (grid.is_padded()) keys = keys.mul(grid.mask().unsqueeze(1).unsqueeze(-1));
  const at::Tensor sums = at::matmul(keys.transpose(2, 3), heads_first(v));  // [B, H, M, d]
  const at::Tensor shares = at::matmul(queries, keys.sum(2).unsqueeze(-1));  // [B, H, L, 1]
  return grid.pack(at::matmul(queries, sums).div(shares).transpose(1, 2));
}

void PerformerAttention::visit_constants(const ParameterVisitor& visitor) {
  visitor("", projections_, ParameterRole::matrix);
}

}  // namespace diffuse
