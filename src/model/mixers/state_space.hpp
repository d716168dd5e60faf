#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace diffuse {

/// Mamba-2's state space in its chunked form (Dao & Gu 2024, arXiv:2405.21060, section 6): with a
/// state S [P, N] for each head, 0 at first,
///
///   S_t = exp(a_t) S_{t-1} + x_t b_tᵀ,   y_t = S_t c_t.
///
/// `x` [B, L, H, P], `a` [B, L, H] (log of the decay, at most 0), `b`, `c` [B, L, N] for all heads.
/// Inside a piece of `chunk` tokens all of y comes of products; the states at the ends of the
/// pieces are handed on by products, too, in groups, so that a text costs as much for each token
/// however long it is. Float32. Returns y [B, L, H, P].
at::Tensor state_space(const at::Tensor& x, const at::Tensor& a, const at::Tensor& b,
                       const at::Tensor& c, std::int64_t chunk);

/// Floating-point operations of its products for one text of `length` tokens, with `inner` = H * P
/// and `state_dim` = N. The last piece is computed whole.
double state_space_flops(std::int64_t length, std::int64_t inner, std::int64_t state_dim,
                         std::int64_t chunk);

}  // namespace diffuse
