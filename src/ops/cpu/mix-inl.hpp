// The neighbours' part of a step: h_i = alpha ∘ base_i + sum over k of F_k ∘ u_{i + shifts[k]},
// with F = (1 - alpha) · W. No row outside a text is ever read. Vector code, compiled once for each
// instruction set.
#if defined(DIFFUSE_OPS_CPU_MIX_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_MIX_INL
#undef DIFFUSE_OPS_CPU_MIX_INL
#else
#define DIFFUSE_OPS_CPU_MIX_INL
#endif

#include <algorithm>
#include <cstring>

#include "math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

/// The rows of a text of n rows whose neighbours at every shift are in it: [begin, end).
struct Interior {
  Interior(std::span<const std::int64_t> shifts, std::int64_t n) {
    begin = HWY_MIN(n, HWY_MAX(std::int64_t{0}, -shifts.front()));
    end = HWY_MAX(begin, n - HWY_MAX(std::int64_t{0}, shifts.back()));
  }
  std::int64_t begin;
  std::int64_t end;
};

/// One column of vectors of a text. kCount: the number of shifts where it is known.
template <int kCount>
HWY_INLINE void mix_column(std::span<const std::int64_t> shifts, std::int64_t n, std::int64_t width,
                           const float* u, const float* factor, Floats alpha, const float* base,
                           float* out) {
  Floats weights[kCount > 0 ? kCount : 1];
#pragma GCC unroll 8
  for (int k = 0; k < kCount; ++k) weights[k] = load(factor + k * width);
  const std::int64_t count = kCount > 0 ? kCount : static_cast<std::int64_t>(shifts.size());
  const auto weight = [&](std::int64_t k)
                          HWY_ATTR { return kCount > 0 ? weights[k] : load(factor + k * width); };
  const auto at_edge = [&](std::int64_t i) HWY_ATTR {
    Floats sum = hn::Mul(alpha, load(base + i * width));
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t j = i + shifts[static_cast<std::size_t>(k)];
      if (j >= 0 && j < n) sum = hn::MulAdd(load(factor + k * width), load(u + j * width), sum);
    }
    store(sum, out + i * width);
  };
  const Interior interior(shifts, n);
  for (std::int64_t i = 0; i < interior.begin; ++i) at_edge(i);
  for (std::int64_t i = interior.begin; i < interior.end; ++i) {
    Floats sum = hn::Mul(alpha, load(base + i * width));
#pragma GCC unroll 8
    for (std::int64_t k = 0; k < count; ++k)
      sum = hn::MulAdd(weight(k), load(u + (i + shifts[static_cast<std::size_t>(k)]) * width), sum);
    store(sum, out + i * width);
  }
  for (std::int64_t i = interior.end; i < n; ++i) at_edge(i);
}

template <int kCount>
HWY_NOINLINE void mix_text(std::span<const std::int64_t> shifts, std::int64_t n, std::int64_t width,
                           const float* u, const float* factor, const float* alpha,
                           const float* base, float* out) {
  for (std::int64_t c = 0; c < width; c += kLanes)
    mix_column<kCount>(shifts, n, width, u + c, factor + c, load(alpha + c), base + c, out + c);
}

/// One column of the gradient of a text's rows [rows.begin, rows.end), whose first one `u` and `g`
/// point at: g_j = sum over k of F_k ∘ d_{j - shifts[k]}; that of F_k is added to
/// `factor_gradient` unless it is null.
template <int kCount>
HWY_INLINE void mix_column_back(std::span<const std::int64_t> shifts, std::int64_t n, RowSpan rows,
                                std::int64_t width, const float* u, const float* factor,
                                const float* d, float* g, float* factor_gradient) {
  Floats weights[kCount];
  Floats sums[kCount];
#pragma GCC unroll 8
  for (int k = 0; k < kCount; ++k) {
    weights[k] = load(factor + k * width);
    sums[k] = factor_gradient == nullptr ? zeros() : load(factor_gradient + k * width);
  }
  const auto row = [&](std::int64_t j, auto at_edge) HWY_ATTR {
    const std::int64_t at = (j - rows.begin) * width;
    const Floats value = load(u + at);
    Floats sum = zeros();
#pragma GCC unroll 8
    for (int k = 0; k < kCount; ++k) {
      const std::int64_t i = j - shifts[static_cast<std::size_t>(k)];
      if (at_edge && (i < 0 || i >= n)) continue;
      const Floats from = load(d + i * width);
      sum = hn::MulAdd(weights[k], from, sum);
      sums[k] = hn::MulAdd(from, value, sums[k]);
    }
    store(sum, g + at);
  };
  // Rows that every shift of the others reaches: the mirror of those that reach them all.
  const std::int64_t begin = HWY_MIN(n, HWY_MAX(std::int64_t{0}, shifts.back()));
  const std::int64_t end = HWY_MAX(begin, n - HWY_MAX(std::int64_t{0}, -shifts.front()));
  std::int64_t j = rows.begin;
  for (; j < HWY_MIN(rows.end, begin); ++j) row(j, std::true_type());
  for (; j < HWY_MIN(rows.end, end); ++j) row(j, std::false_type());
  for (; j < rows.end; ++j) row(j, std::true_type());
  if (factor_gradient == nullptr) return;
#pragma GCC unroll 8
  for (int k = 0; k < kCount; ++k) store(sums[k], factor_gradient + k * width);
}

/// The same for any number of shifts: one after the other over the column.
template <>
HWY_INLINE void mix_column_back<0>(std::span<const std::int64_t> shifts, std::int64_t n,
                                   RowSpan rows, std::int64_t width, const float* u,
                                   const float* factor, const float* d, float* g,
                                   float* factor_gradient) {
  for (std::int64_t j = 0; j < rows.end - rows.begin; ++j) store(zeros(), g + j * width);
  for (std::size_t k = 0; k < shifts.size(); ++k) {
    const std::int64_t shift = shifts[k];
    const std::int64_t to = static_cast<std::int64_t>(k) * width;
    const Floats weight = load(factor + to);
    Floats sum = zeros();
    const std::int64_t end = HWY_MIN(rows.end, n + shift);
    for (std::int64_t j = HWY_MAX(rows.begin, shift); j < end; ++j) {
      const std::int64_t at = (j - rows.begin) * width;
      const Floats from = load(d + (j - shift) * width);
      store(hn::MulAdd(weight, from, load(g + at)), g + at);
      sum = hn::MulAdd(from, load(u + at), sum);
    }
    if (factor_gradient != nullptr)
      store(hn::Add(load(factor_gradient + to), sum), factor_gradient + to);
  }
}

template <int kCount>
HWY_NOINLINE void mix_rows_back(std::span<const std::int64_t> shifts, std::int64_t n, RowSpan rows,
                                std::int64_t width, const float* u, const float* factor,
                                const float* d, float* g, float* factor_gradient) {
  for (std::int64_t c = 0; c < width; c += kLanes)
    mix_column_back<kCount>(shifts, n, rows, width, u + c, factor + c, d + c, g + c,
                            factor_gradient == nullptr ? nullptr : factor_gradient + c);
}

/// Calls `work` with the number of shifts as a constant where a kernel of its own pays, else 0.
template <class Work>
HWY_INLINE void with_shift_count(std::size_t count, const Work& work) {
  switch (count) {
    case 2:
      return work(std::integral_constant<int, 2>());
    case 3:
      return work(std::integral_constant<int, 3>());
    case 4:
      return work(std::integral_constant<int, 4>());
    case 5:
      return work(std::integral_constant<int, 5>());
    case 7:
      return work(std::integral_constant<int, 7>());
    default:
      return work(std::integral_constant<int, 0>());
  }
}

/// Calls `work(first row, rows, whether they are the chunk's own)` for blocks of at most `most`.
template <class Work>
HWY_INLINE void for_blocks(const Chunk& chunk, std::int64_t most, const Work& work) {
  const std::int64_t ends[] = {chunk.own.begin, chunk.own.end, chunk.rows()};
  std::int64_t first = 0;
  for (int part = 0; part < 3; ++part) {
    while (first < ends[part]) {
      const std::int64_t rows = HWY_MIN(most, ends[part] - first);
      work(first, rows, part == 1);
      first += rows;
    }
  }
}

/// Calls `work(text, part)` for the rows of a chunk that are in `block`, text by text.
template <class Work>
HWY_INLINE void for_texts(const Chunk& chunk, RowSpan block, const Work& work) {
  auto end = std::upper_bound(chunk.bounds.begin(), chunk.bounds.end(), block.begin);
  for (std::int64_t at = block.begin; at < block.end; ++end) {
    const std::int64_t stop = HWY_MIN(*end, block.end);
    if (at < stop) work(RowSpan{*(end - 1), *end}, RowSpan{at, stop});
    at = stop;
  }
}

/// Calls `work(row, text's first row, text's end)` for the rows [begin, end) of a chunk.
template <class Work>
HWY_INLINE void for_rows(const Chunk& chunk, std::int64_t begin, std::int64_t end,
                         const Work& work) {
  std::size_t text = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    while (chunk.bounds[text + 1] <= i) ++text;
    work(i, chunk.bounds[text], chunk.bounds[text + 1]);
  }
}

/// The neighbours of rows [begin, end) side by side: `[rows, K · width]`, zeros where there is
/// none.
HWY_INLINE void gather_neighbours(const Chunk& chunk, std::span<const std::int64_t> shifts,
                                  std::int64_t begin, std::int64_t end, std::int64_t width,
                                  const float* u, float* to) {
  for_rows(chunk, begin, end, [&](std::int64_t i, std::int64_t first, std::int64_t last) {
    for (const std::int64_t shift : shifts) {
      const std::int64_t j = i + shift;
      const auto bytes = static_cast<std::size_t>(width) * sizeof(float);
      if (j >= first && j < last)
        std::memcpy(to, u + j * width, bytes);
      else
        std::memset(to, 0, bytes);
      to += width;
    }
  });
}

/// The way back: adds each part of `from` to the row of `g` that it was gathered from.
HWY_INLINE void scatter_neighbours(const Chunk& chunk, std::span<const std::int64_t> shifts,
                                   std::int64_t begin, std::int64_t end, std::int64_t width,
                                   const float* from, float* g) {
  for_rows(chunk, begin, end, [&](std::int64_t i, std::int64_t first, std::int64_t last) HWY_ATTR {
    for (const std::int64_t shift : shifts) {
      const std::int64_t j = i + shift;
      if (j >= first && j < last)
        for (std::int64_t c = 0; c < width; c += kLanes)
          store(hn::Add(load(g + j * width + c), load(from + c)), g + j * width + c);
      from += width;
    }
  });
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
