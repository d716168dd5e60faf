// Matrix products in registers, of float32 numbers or of pairs of bf16 ones, always summed in
// float32. Vector code, compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_PRODUCT_INL
#undef DIFFUSE_OPS_CPU_PRODUCT_INL
#else
#define DIFFUSE_OPS_CPU_PRODUCT_INL
#endif

#include "tiles-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

// A tile is kTileRows rows of kTileUnits · 16 columns in registers: 12 of 16 registers with AVX2,
// 24 of 32 with AVX-512, and enough of them in flight to hide an addition's latency.
constexpr int kTileRows = 6;
constexpr int kTileUnits = kUnitVectors == 1 ? 4 : 1;
// A panel's part that stays in the first-level cache while all rows of a block pass it.
constexpr std::int64_t kDepthBlock = 256;

/// One step of a tile's sums: each row's cell times the vectors of cells.
template <class By, int kPart, int kRows, int kVectors, class Cell>
HWY_INLINE void add_products(const Cell& cell_of_row, const Floats (&cells)[kVectors],
                             Floats (&sum)[kRows][kVectors]) {
  Floats b[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) b[v] = By::template part<kPart>(cells[v]);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    const Floats factor = By::template part<kPart>(broadcast(cell_of_row(r)));
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[r][v] = By::multiply_add(factor, b[v], sum[r][v]);
  }
  if constexpr (kPart + 1 < By::kParts) add_products<By, kPart + 1>(cell_of_row, cells, sum);
}

template <class By, int kRows, int kUnits, Start start>
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
    Floats cells[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      cells[v] =
          load(panel + (v / kUnitVectors) * panel_stride + k * kUnit + (v % kUnitVectors) * kLanes);
    add_products<By, 0>([&](int r) HWY_ATTR { return x[r * x_stride + k]; }, cells, sum);
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) store(sum[r][v], y + r * y_stride + v * kLanes);
}

template <class By, int kRows, int kUnits, Start start>
HWY_INLINE void tile_rows(std::int64_t rows, const float* x, std::int64_t x_stride,
                          const float* panel, std::int64_t panel_stride, std::int64_t depth,
                          const float* bias, float* y, std::int64_t y_stride) {
  if (rows == kRows) {
    tile<By, kRows, kUnits, start>(x, x_stride, panel, panel_stride, depth, bias, y, y_stride);
  } else if constexpr (kRows > 1) {
    tile_rows<By, kRows - 1, kUnits, start>(rows, x, x_stride, panel, panel_stride, depth, bias, y,
                                            y_stride);
  }
}

/// Columns of kUnits panels for all rows.
template <class By, int kUnits, Start start>
HWY_NOINLINE void strip(const float* x, std::int64_t x_stride, std::int64_t rows,
                        const float* panel, std::int64_t panel_stride, std::int64_t depth,
                        const float* bias, float* y, std::int64_t y_stride) {
  std::int64_t i = 0;
  for (; i + kTileRows <= rows; i += kTileRows)
    tile<By, kTileRows, kUnits, start>(x + i * x_stride, x_stride, panel, panel_stride, depth, bias,
                                       y + i * y_stride, y_stride);
  if (i < rows)
    tile_rows<By, kTileRows - 1, kUnits, start>(rows - i, x + i * x_stride, x_stride, panel,
                                                panel_stride, depth, bias, y + i * y_stride,
                                                y_stride);
}

template <class By, Start start, int kUnits = kTileUnits>
HWY_INLINE void strip_units(std::int64_t units, const float* x, std::int64_t x_stride,
                            std::int64_t rows, const float* panel, std::int64_t panel_stride,
                            std::int64_t depth, const float* bias, float* y,
                            std::int64_t y_stride) {
  if (units == kUnits) {
    strip<By, kUnits, start>(x, x_stride, rows, panel, panel_stride, depth, bias, y, y_stride);
  } else if constexpr (kUnits > 1) {
    strip_units<By, start, kUnits - 1>(units, x, x_stride, rows, panel, panel_stride, depth, bias,
                                       y, y_stride);
  }
}

/// Y = X · B, with `depth` cells in each row of X and column of B.
template <class By, Start start>
HWY_INLINE void multiply_cells(const float* x, std::int64_t x_stride, std::int64_t rows,
                               const Panels& b, std::int64_t depth, const float* bias, float* y,
                               std::int64_t y_stride) {
  const std::int64_t panels = b.width / kUnit;
  for (std::int64_t k = 0; k < depth; k += kDepthBlock) {
    const std::int64_t cells = HWY_MIN(kDepthBlock, depth - k);
    for (std::int64_t p = 0; p < panels; p += kTileUnits) {
      const std::int64_t units = HWY_MIN(static_cast<std::int64_t>(kTileUnits), panels - p);
      const float* panel = b.data + p * b.stride() + k * kUnit;
      const float* part = bias == nullptr ? nullptr : bias + p * kUnit;
      float* to = y + p * kUnit;
      if (k == 0)
        strip_units<By, start>(units, x, x_stride, rows, panel, b.stride(), cells, part, to,
                               y_stride);
      else
        strip_units<By, Start::result>(units, x + k, x_stride, rows, panel, b.stride(), cells, part,
                                       to, y_stride);
    }
  }
}

/// Y `[rows, b.width]` = X `[rows, b.depth]` · B, plus a bias or what Y holds. At most kBlockRows
/// rows where `by` has pairs.
template <Start start>
HWY_INLINE void multiply(const Products& by, const float* x, std::int64_t x_stride,
                         std::int64_t rows, const Panels& b, const float* bias, float* y,
                         std::int64_t y_stride) {
  if (by.arithmetic == Arithmetic::single)
    return multiply_cells<Single, start>(x, x_stride, rows, b, b.depth, bias, y, y_stride);
  const std::int64_t depth = b.depth / 2;
  for (std::int64_t i = 0; i < rows; ++i)
    pair_columns(by.arithmetic, x + i * x_stride, b.depth, by.cells + i * depth);
#if HWY_TARGET == HWY_AVX3
  if (by.arithmetic == Arithmetic::tiles)
    return multiply_tiles<start>(by.cells, depth, rows, b, bias, y, y_stride);
#endif
  with_pairs(by.arithmetic, [&](auto pairs) HWY_ATTR {
    multiply_cells<decltype(pairs), start>(by.cells, depth, rows, b, depth, bias, y, y_stride);
  });
}

template <class By, int kOutputs, int kUnits>
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
    Floats cells[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) cells[v] = load(x + i * x_stride + v * kLanes);
    add_products<By, 0>([&](int o) HWY_ATTR { return a[i * a_stride + o]; }, cells, sum);
  }
#pragma GCC unroll 8
  for (int o = 0; o < kOutputs; ++o)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) store(sum[o][v], g + o * g_stride + v * kLanes);
}

template <class By, int kUnits>
HWY_NOINLINE void outer_strip(const float* a, std::int64_t a_stride, std::int64_t outputs,
                              const float* x, std::int64_t x_stride, std::int64_t rows, float* g,
                              std::int64_t g_stride) {
  std::int64_t o = 0;
  for (; o + kTileRows <= outputs; o += kTileRows)
    outer_tile<By, kTileRows, kUnits>(a + o, a_stride, x, x_stride, rows, g + o * g_stride,
                                      g_stride);
  // Outputs are a multiple of 16: four or two are left, or none.
  for (; o + 4 <= outputs; o += 4)
    outer_tile<By, 4, kUnits>(a + o, a_stride, x, x_stride, rows, g + o * g_stride, g_stride);
  for (; o + 2 <= outputs; o += 2)
    outer_tile<By, 2, kUnits>(a + o, a_stride, x, x_stride, rows, g + o * g_stride, g_stride);
}

template <class By>
HWY_INLINE void add_outer_cells(const float* a, std::int64_t a_stride, std::int64_t outputs,
                                const float* x, std::int64_t x_stride, std::int64_t inputs,
                                std::int64_t rows, float* g, std::int64_t g_stride) {
  constexpr std::int64_t kWidth = kTileUnits * kUnit;
  std::int64_t k = 0;
  for (; k + kWidth <= inputs; k += kWidth)
    outer_strip<By, kTileUnits>(a, a_stride, outputs, x + k, x_stride, rows, g + k, g_stride);
  for (; k < inputs; k += kUnit)
    outer_strip<By, 1>(a, a_stride, outputs, x + k, x_stride, rows, g + k, g_stride);
}

/// G `[outputs, inputs]` += Aᵀ · X, with A `[rows, outputs]` and X `[rows, inputs]`: the gradient
/// of a matrix. Outputs and inputs are multiples of kUnit; at most kBlockRows rows where `by` has
/// pairs.
HWY_INLINE void add_outer(const Products& by, const float* a, std::int64_t a_stride,
                          std::int64_t outputs, const float* x, std::int64_t x_stride,
                          std::int64_t inputs, std::int64_t rows, float* g, std::int64_t g_stride) {
  if (by.arithmetic == Arithmetic::single)
    return add_outer_cells<Single>(a, a_stride, outputs, x, x_stride, inputs, rows, g, g_stride);
#if HWY_TARGET == HWY_AVX3
  if (by.arithmetic == Arithmetic::tiles)
    return add_outer_tiles(by.cells, {a, a_stride, outputs}, {x, x_stride, inputs}, rows, g,
                           g_stride);
#endif
  const std::int64_t depth = (rows + 1) / 2;
  float* a_cells = by.cells;
  float* x_cells = by.cells + depth * outputs;
  pair_rows(by.arithmetic, a, a_stride, rows, outputs, a_cells);
  pair_rows(by.arithmetic, x, x_stride, rows, inputs, x_cells);
  with_pairs(by.arithmetic, [&](auto pairs) HWY_ATTR {
    add_outer_cells<decltype(pairs)>(a_cells, outputs, outputs, x_cells, inputs, inputs, depth, g,
                                     g_stride);
  });
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
