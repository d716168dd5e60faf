#include "state_space.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>

namespace diffuse {
namespace {

/// exp of the sums a_{j+1} + … + a_i, for `sums` [..., T] of a from the first on: [..., T (i), T
/// (j)], 0 above the diagonal.
at::Tensor decays(const at::Tensor& sums) {
  const std::int64_t size = sums.size(-1);
  const at::Tensor later =
      at::ones({size, size}, sums.options().dtype(at::kBool).requires_grad(false)).triu(1);
  // Filled before exp: what stands there may be too large for it, and its gradient no number.
  return at::exp(sums.unsqueeze(-1)
                     .sub(sums.unsqueeze(-2))
                     .masked_fill(later, -std::numeric_limits<double>::infinity()));
}

/// [B, L, ...] to [B, L / chunk, chunk, ...].
at::Tensor in_chunks(const at::Tensor& x, std::int64_t chunk) {
  std::vector<std::int64_t> sizes = {x.size(0), x.size(1) / chunk, chunk};
  sizes.insert(sizes.end(), x.sizes().begin() + 2, x.sizes().end());
  return x.reshape(sizes);
}

/// 0 behind the last token, up to a multiple of `chunk`.
at::Tensor filled_up(const at::Tensor& x, std::int64_t chunk) {
  const std::int64_t missing = (chunk - x.size(1) % chunk) % chunk;
  if (missing == 0) return x;
  std::vector<std::int64_t> pad(static_cast<std::size_t>(2 * (x.dim() - 1)), 0);
  pad.back() = missing;
  return at::constant_pad_nd(x, pad);
}

}  // namespace

at::Tensor state_space(const at::Tensor& x, const at::Tensor& a, const at::Tensor& b,
                       const at::Tensor& c, std::int64_t chunk) {
  const std::int64_t length = x.size(1);
  chunk = std::min(chunk, length);
  const auto chunks = [&](const at::Tensor& of) { return in_chunks(filled_up(of, chunk), chunk); };
  const at::Tensor xs = chunks(x);  // [B, K, Q, H, P]
  const at::Tensor bs = chunks(b);  // [B, K, Q, N]
  const at::Tensor cs = chunks(c);
  const at::Tensor sums = at::cumsum(chunks(a).permute({0, 3, 1, 2}), -1);  // [B, H, K, Q]
  // Inside a piece: (c_i b_j) exp(…) weighs x_j.
  const at::Tensor weights =
      at::einsum("zkin,zkjn->zkij", {cs, bs}).unsqueeze(1).mul(decays(sums));  // [B, H, K, Q, Q]
  at::Tensor y = at::einsum("zhkij,zkjhp->zkihp", {weights, xs});
  if (xs.size(1) > 1) {
    // What each piece adds to the state at its end, and the states at the beginnings.
    const at::Tensor to_end = at::exp(sums.slice(-1, -1).sub(sums));  // [B, H, K, Q]
    const at::Tensor added =
        at::einsum("zkjn,zkjhp->zkhpn", {bs, xs.mul(to_end.permute({0, 2, 3, 1}).unsqueeze(-1))});
    const at::Tensor totals = at::cumsum(sums.select(-1, -1), -1);  // [B, H, K]
    // The state at the beginning of piece k holds what pieces 0 … k - 1 have added.
    const at::Tensor handed_on = decays(totals).slice(-2, 0, -1);  // [B, H, K - 1, K]
    const at::Tensor later = at::einsum("zhik,zkhpn->zihpn", {handed_on, added});
    const at::Tensor states = at::cat({at::zeros_like(later.slice(1, 0, 1)), later}, 1);
    const at::Tensor from_begin = at::exp(sums).permute({0, 2, 3, 1}).unsqueeze(-1);
    y = y.add(at::einsum("zkin,zkhpn->zkihp", {cs, states}).mul(from_begin));
  }
  return y.flatten(1, 2).narrow(1, 0, length);
}

}  // namespace diffuse
