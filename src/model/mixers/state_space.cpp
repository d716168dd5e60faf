#include "state_space.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <limits>

namespace diffuse {
namespace {

// Pieces whose states one product hands on. It costs their square, so that those of a long text are
// handed on in groups of so many, and from group to group likewise.
constexpr std::int64_t kGroup = 16;

std::int64_t parts_of(std::int64_t size, std::int64_t of) { return (size + of - 1) / of; }

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

/// [B, L, ...] with 0 behind the last, up to a multiple of `chunk`.
at::Tensor filled_up(const at::Tensor& x, std::int64_t chunk) {
  const std::int64_t missing = (chunk - x.size(1) % chunk) % chunk;
  if (missing == 0) return x;
  std::vector<std::int64_t> pad(static_cast<std::size_t>(2 * (x.dim() - 1)), 0);
  pad.back() = missing;
  return at::constant_pad_nd(x, pad);
}

/// The states at the beginnings of K pieces, 0 at the first's, S_{k+1} = exp(a_k) S_k + added_k:
/// `a` [B, K, H], `added` [B, K, H, P, N] and what is returned.
at::Tensor states_at_beginnings(const at::Tensor& a, const at::Tensor& added) {
  const std::int64_t count = added.size(1);
  const std::int64_t size = std::min(count, kGroup);
  const at::Tensor grouped = in_chunks(filled_up(a, size), size).transpose(2, 3);  // [B, M, H, G]
  // What is left at the beginning of piece i, and in row G at the group's end, of the state at the
  // group's beginning (column 0) and of what piece j has added (column j + 1).
  const at::Tensor left =
      decays(at::constant_pad_nd(at::cumsum(grouped, -1), {1, 0}));  // [B, M, H, G + 1, G + 1]
  const at::Tensor own = at::einsum("zmhij,zmjhpn->zmihpn",
                                    {left.slice(-1, 1), in_chunks(filled_up(added, size), size)});
  at::Tensor states = own.narrow(2, 0, size);
  if (own.size(1) > 1) {
    const at::Tensor begins = states_at_beginnings(grouped.sum(-1), own.select(2, size));
    const at::Tensor of_begin = left.select(-1, 0).narrow(-1, 0, size).transpose(2, 3);
    states = states.add(of_begin.unsqueeze(-1).unsqueeze(-1).mul(begins.unsqueeze(2)));
  }
  return states.flatten(1, 2).narrow(1, 0, count);
}

/// Of the products of `states_at_beginnings` for one text, over H * P * N.
double handing_on_flops(std::int64_t count) {
  const std::int64_t size = std::min(count, kGroup);
  const std::int64_t groups = parts_of(count, size);
  const double own = 2.0 * static_cast<double>(groups * (size + 1) * size);
  return groups > 1 ? own + handing_on_flops(groups) : own;
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
    // What each piece adds to the state at its end, and what is read of that at its beginning.
    const at::Tensor to_end = at::exp(sums.slice(-1, -1).sub(sums));  // [B, H, K, Q]
    const at::Tensor added =
        at::einsum("zkjn,zkjhp->zkhpn", {bs, xs.mul(to_end.permute({0, 2, 3, 1}).unsqueeze(-1))});
    const at::Tensor totals = sums.select(-1, -1).transpose(1, 2);  // [B, K, H]
    const at::Tensor states = states_at_beginnings(totals, added);
    const at::Tensor from_begin = at::exp(sums).permute({0, 2, 3, 1}).unsqueeze(-1);
    y = y.add(at::einsum("zkin,zkhpn->zkihp", {cs, states}).mul(from_begin));
  }
  return y.flatten(1, 2).narrow(1, 0, length);
}

double state_space_flops(std::int64_t length, std::int64_t inner, std::int64_t state_dim,
                         std::int64_t chunk) {
  if (length == 0) return 0;
  chunk = std::min(chunk, length);
  const std::int64_t count = parts_of(length, chunk);
  const auto state = static_cast<double>(inner * state_dim);
  double piece = 2.0 * static_cast<double>(chunk * chunk * (state_dim + inner));
  if (count == 1) return piece;
  piece += 4.0 * static_cast<double>(chunk) * state;  // added to the state at its end, and read
  return static_cast<double>(count) * piece + handing_on_flops(count) * state;
}

}  // namespace diffuse
