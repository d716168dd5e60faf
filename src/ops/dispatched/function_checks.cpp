#include <ATen/ops/layer_norm.h>
#include <ATen/ops/mul.h>
#include <fmt/core.h>

#include "checks.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/ops/dispatched/bias_activation.hpp"
#include "diffuse/ops/dispatched/row_norm.hpp"
#include "diffuse/ops/reference/diffusion.hpp"

namespace diffuse {
namespace {

using Leaves = std::vector<at::Tensor>;

at::ScalarType sums_of(at::ScalarType type) {
  return type == at::kDouble ? at::kDouble : at::kFloat;
}

void check_activation(const CheckedBatch& batch, at::ScalarType type, Activation activation,
                      bool gated, Checks& checks) {
  const std::int64_t width = gated ? 2 * batch.dim : batch.dim;
  checks.compare(
      fmt::format("{} {}", gated ? "gated_activation" : "bias_activation", enum_name(activation)),
      {"product", "bias"}, batch, type,
      {random_numbers({batch.rows(), width}, 33).to(type),
       random_numbers({width}, 34).to(sums_of(type))},
      [&](const Leaves& leaves) {
        return gated ? gated_activation(leaves[0], leaves[1], activation)
                     : bias_activation(leaves[0], leaves[1], activation);
      },
      [&](const Leaves& leaves) {
        const at::Tensor biased = leaves[0].add(leaves[1]);
        if (!gated) return activate(biased, activation);
        const Leaves halves = biased.chunk(2, 1);
        return at::mul(halves[0], activate(halves[1], activation));
      });
}

}  // namespace

void check_row_norm(const CheckedBatch& batch, at::ScalarType type, Checks& checks) {
  // Of one channel the bias alone is left; the gradients of all else are 0 but for rounding.
  if (batch.dim == 1) return;
  constexpr double kEps = 1e-5;
  const at::ScalarType sums = sums_of(type);
  // Away from 0, as a state may be.
  const Leaves given = {random_numbers({batch.rows(), batch.dim}, 30).add(3).to(sums),
                        random_numbers({batch.dim}, 31).to(sums),
                        random_numbers({batch.dim}, 32).to(sums)};
  checks.compare(
      "row_norm", {"x", "weight", "bias"}, batch, type, given,
      [&](const Leaves& leaves) { return row_norm(leaves[0], leaves[1], leaves[2], kEps, type); },
      [&](const Leaves& leaves) {
        return at::layer_norm(leaves[0], leaves[1].sizes(), leaves[1], leaves[2], kEps);
      });
}

void check_activations(const CheckedBatch& batch, at::ScalarType type, Checks& checks) {
  constexpr std::int64_t kManyRows = 1000;  // where the rows are the matter, not the curve
  for (const Activation activation : {Activation::identity, Activation::relu, Activation::gelu,
                                      Activation::silu, Activation::tanh}) {
    if (batch.rows() > kManyRows && activation != Activation::gelu) continue;
    check_activation(batch, type, activation, /*gated=*/false, checks);
    check_activation(batch, type, activation, /*gated=*/true, checks);
  }
}

}  // namespace diffuse
