// Matrix products in registers. Vector code, compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_PRODUCT_INL
#undef DIFFUSE_OPS_CPU_PRODUCT_INL
#else
#define DIFFUSE_OPS_CPU_PRODUCT_INL
#endif

#include "math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

// A tile is kTileRows rows of kTileUnits · 16 columns in registers: 12 of 16 registers with AVX2,
// 24 of 32 with AVX-512, and enough of them in flight to hide an addition's latency.
constexpr int kTileRows = 6;
constexpr int kTileUnits = kUnitVectors == 1 ? 4 : 1;
// A panel's part that stays in the first-level cache while all rows of a block pass it.
constexpr std::int64_t kDepthBlock = 256;

/// Rows of X and Y, their strides, and where Y starts: at zero, at a bias, or at what it holds.
enum class Start { zero, bias, result };

template <int kRows, int kUnits, Start start>
HWY_INLINE void tile(const float* x, std::int64_t x_stride, const float* panel,
                     std::int64_t panel_stride, std::int64_t depth, const float* bias, float* y,
                     std::int64_t y_stride) {
  constexpr int kVectors = kUnits * kUnitVectors;
  Floats sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      if constexpr (start == Start::zero) sum[r][v] = zeros();
      if constexpr (start == Start::bias) sum[r][v] = load(bias + v * kLanes);
      if constexpr (start == Start::result) sum[r][v] = load(y + r * y_stride + v * kLanes);
    }
  for (std::int64_t k = 0; k < depth; ++k) {
    Floats b[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      b[v] =
          load(panel + (v / kUnitVectors) * panel_stride + k * kUnit + (v % kUnitVectors) * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Floats factor = broadcast(x[r * x_stride + k]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(factor, b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) store(sum[r][v], y + r * y_stride + v * kLanes);
}

template <int kRows, int kUnits, Start start>
HWY_INLINE void tile_rows(std::int64_t rows, const float* x, std::int64_t x_stride,
                          const float* panel, std::int64_t panel_stride, std::int64_t depth,
                          const float* bias, float* y, std::int64_t y_stride) {
  if (rows == kRows) {
    tile<kRows, kUnits, start>(x, x_stride, panel, panel_stride, depth, bias, y, y_stride);
  } else if constexpr (kRows > 1) {
    tile_rows<kRows - 1, kUnits, start>(rows, x, x_stride, panel, panel_stride, depth, bias, y,
                                        y_stride);
  }
}

/// Columns of kUnits panels for all rows.
template <int kUnits, Start start>
HWY_NOINLINE void strip(const float* x, std::int64_t x_stride, std::int64_t rows,
                        const float* panel, std::int64_t panel_stride, std::int64_t depth,
                        const float* bias, float* y, std::int64_t y_stride) {
  std::int64_t i = 0;
  for (; i + kTileRows <= rows; i += kTileRows)
    tile<kTileRows, kUnits, start>(x + i * x_stride, x_stride, panel, panel_stride, depth, bias,
                                   y + i * y_stride, y_stride);
  if (i < rows)
    tile_rows<kTileRows - 1, kUnits, start>(rows - i, x + i * x_stride, x_stride, panel,
                                            panel_stride, depth, bias, y + i * y_stride, y_stride);
}

template <Start start, int kUnits = kTileUnits>
HWY_INLINE void strip_units(std::int64_t units, const float* x, std::int64_t x_stride,
                            std::int64_t rows, const float* panel, std::int64_t panel_stride,
                            std::int64_t depth, const float* bias, float* y,
                            std::int64_t y_stride) {
  if (units == kUnits) {
    strip<kUnits, start>(x, x_stride, rows, panel, panel_stride, depth, bias, y, y_stride);
  } else if constexpr (kUnits > 1) {
    strip_units<start, kUnits - 1>(units, x, x_stride, rows, panel, panel_stride, depth, bias, y,
                                   y_stride);
  }
}

/// Y `[rows, b.width]` = X `[rows, b.depth]` · B, plus a bias or what Y holds.
template <Start start>
HWY_INLINE void multiply(const float* x, std::int64_t x_stride, std::int64_t rows, const Panels& b,
                         const float* bias, float* y, std::int64_t y_stride) {
  const std::int64_t panel_stride = b.depth * kUnit;
  const std::int64_t panels = b.width / kUnit;
  for (std::int64_t k = 0; k < b.depth; k += kDepthBlock) {
    const std::int64_t depth = HWY_MIN(kDepthBlock, b.depth - k);
    for (std::int64_t p = 0; p < panels; p += kTileUnits) {
      const std::int64_t units = HWY_MIN(static_cast<std::int64_t>(kTileUnits), panels - p);
      const float* panel = b.data + p * panel_stride + k * kUnit;
      const float* part = bias == nullptr ? nullptr : bias + p * kUnit;
      float* to = y + p * kUnit;
      if (k == 0)
        strip_units<start>(units, x, x_stride, rows, panel, panel_stride, depth, part, to,
                           y_stride);
      else
        strip_units<Start::result>(units, x + k, x_stride, rows, panel, panel_stride, depth, part,
                                   to, y_stride);
    }
  }
}

template <int kOutputs, int kUnits>
HWY_INLINE void outer_tile(const float* a, std::int64_t a_stride, const float* x,
                           std::int64_t x_stride, std::int64_t rows, float* g,
                           std::int64_t g_stride) {
  constexpr int kVectors = kUnits * kUnitVectors;
  Floats sum[kOutputs][kVectors];
#pragma GCC unroll 8
  for (int o = 0; o < kOutputs; ++o)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[o][v] = load(g + o * g_stride + v * kLanes);
  for (std::int64_t i = 0; i < rows; ++i) {
    Floats b[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) b[v] = load(x + i * x_stride + v * kLanes);
#pragma GCC unroll 8
    for (int o = 0; o < kOutputs; ++o) {
      const Floats factor = broadcast(a[i * a_stride + o]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[o][v] = hn::MulAdd(factor, b[v], sum[o][v]);
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < kOutputs; ++o)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) store(sum[o][v], g + o * g_stride + v * kLanes);
}

template <int kUnits>
HWY_NOINLINE void outer_strip(const float* a, std::int64_t a_stride, std::int64_t outputs,
                              const float* x, std::int64_t x_stride, std::int64_t rows, float* g,
                              std::int64_t g_stride) {
  std::int64_t o = 0;
  for (; o + kTileRows <= outputs; o += kTileRows)
    outer_tile<kTileRows, kUnits>(a + o, a_stride, x, x_stride, rows, g + o * g_stride, g_stride);
  // Outputs are a multiple of 16: four or two are left, or none.
  for (; o + 4 <= outputs; o += 4)
    outer_tile<4, kUnits>(a + o, a_stride, x, x_stride, rows, g + o * g_stride, g_stride);
  for (; o + 2 <= outputs; o += 2)
    outer_tile<2, kUnits>(a + o, a_stride, x, x_stride, rows, g + o * g_stride, g_stride);
}

/// G `[outputs, inputs]` += Aᵀ · X, with A `[rows, outputs]` and X `[rows, inputs]`: the gradient
/// of a matrix. Outputs and inputs are multiples of kUnit.
HWY_INLINE void add_outer(const float* a, std::int64_t a_stride, std::int64_t outputs,
                          const float* x, std::int64_t x_stride, std::int64_t inputs,
                          std::int64_t rows, float* g, std::int64_t g_stride) {
  constexpr std::int64_t kWidth = kTileUnits * kUnit;
  std::int64_t k = 0;
  for (; k + kWidth <= inputs; k += kWidth)
    outer_strip<kTileUnits>(a, a_stride, outputs, x + k, x_stride, rows, g + k, g_stride);
  for (; k < inputs; k += kUnit)
    outer_strip<1>(a, a_stride, outputs, x + k, x_stride, rows, g + k, g_stride);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
