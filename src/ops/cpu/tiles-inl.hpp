// Matrix products of bf16 numbers by AMX: registers of 16 rows of 64 bytes (tiles), and one
// instruction that multiplies two and adds to a third. Vector code, compiled once for each
// instruction set; tiles belong to AVX-512's.
#if defined(DIFFUSE_OPS_CPU_TILES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_TILES_INL
#undef DIFFUSE_OPS_CPU_TILES_INL
#else
#define DIFFUSE_OPS_CPU_TILES_INL
#endif

#include "pairs-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3

// Results are tiles 0 to 3, what is multiplied is 4 and 5; 6 and 7 are these with half the cells,
// since a depth is a multiple of 8 cells.
constexpr int kResultTiles = 4;
constexpr int kLeft = 4;
constexpr int kRight = 5;
constexpr int kHalfLeft = 6;
constexpr int kHalfRight = 7;
constexpr std::int64_t kSide = 16;  // rows of a tile, and float32 numbers or cells in each
constexpr auto kTileRowBytes = static_cast<std::int64_t>(kSide * sizeof(float));

/// What `ldtilecfg` reads.
struct TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 32, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 8};
};

/// While one lives its thread's tiles have these shapes. They are given back behind it: a thread
/// that waits with tiles in use costs the system 8 KiB at each change.
class TileScope {
 public:
  explicit TileScope(Arithmetic arithmetic) : used_(arithmetic == Arithmetic::tiles) {
    alignas(64) static constexpr TileShapes kShapes;
    if (used_) asm volatile("ldtilecfg %0" : : "m"(kShapes));
  }
  ~TileScope() {
    if (used_) asm volatile("tilerelease");
  }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;

 private:
  bool used_;
};

// The compiler knows nothing of tiles, nor are there intrinsics without telling it: their
// instructions are written out, in their order.

template <int kTile>
HWY_INLINE void tile_zero() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}

/// Rows `stride` floats apart; 0: the same for all.
template <int kTile>
HWY_INLINE void tile_load(const float* from, std::int64_t stride) {
  asm volatile("tileloadd (%0,%1,4), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
}

template <int kTile>
HWY_INLINE void tile_store(float* to, std::int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,4)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
}

/// result += left · right: cells of `left` are along its rows, those of `right` over its columns.
template <int kResult, int kFirst, int kSecond>
HWY_INLINE void tile_multiply_add() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0"
               :
               : "i"(kResult), "i"(kFirst), "i"(kSecond));
}

/// Calls `work` with the numbers 0 to kCount - 1 as constants.
template <int kCount, class Work>
HWY_INLINE void for_tiles(const Work& work) {
  if constexpr (kCount > 1) for_tiles<kCount - 1>(work);
  work(std::integral_constant<int, kCount - 1>());
}

/// Adds to kUnits results the products of rows of cells, `left_stride` apart, and of cells over
/// columns: `right(unit, cell)` is where a result's own begin, `right_stride` apart.
template <int kUnits, class Right>
HWY_INLINE void add_tile_products(const float* left, std::int64_t left_stride, const Right& right,
                                  std::int64_t right_stride, std::int64_t cells) {
  std::int64_t k = 0;
  for (; k + kSide <= cells; k += kSide) {
    tile_load<kLeft>(left + k, left_stride);
    for_tiles<kUnits>([&](auto unit) HWY_ATTR {
      tile_load<kRight>(right(unit, k), right_stride);
      tile_multiply_add<decltype(unit)::value, kLeft, kRight>();
    });
  }
  if (k == cells) return;
  tile_load<kHalfLeft>(left + k, left_stride);
  for_tiles<kUnits>([&](auto unit) HWY_ATTR {
    tile_load<kHalfRight>(right(unit, k), right_stride);
    tile_multiply_add<decltype(unit)::value, kHalfLeft, kHalfRight>();
  });
}

/// kUnits panels of Y from `panel` on.
template <int kUnits, Start start>
HWY_NOINLINE void tile_strip(const float* x, std::int64_t depth, std::int64_t rows, const Panels& b,
                             std::int64_t panel, const float* bias, float* y,
                             std::int64_t y_stride) {
  static_assert(start != Start::result);
  const float* panels = b.data + panel * b.stride();
  for (std::int64_t i = 0; i < rows; i += kSide) {
    for_tiles<kUnits>([&](auto unit) HWY_ATTR {
      constexpr int kUnitNumber = decltype(unit)::value;
      if constexpr (start == Start::bias)
        tile_load<kUnitNumber>(bias + (panel + kUnitNumber) * kUnit, 0);
      else
        tile_zero<kUnitNumber>();
    });
    add_tile_products<kUnits>(
        x + i * depth, depth,
        [&](auto unit, std::int64_t k)
            HWY_ATTR { return panels + decltype(unit)::value * b.stride() + k * kUnit; },
        kUnit, depth);
    const std::int64_t own = HWY_MIN(kSide, rows - i);
    float* to = y + i * y_stride + panel * kUnit;
    // Rows behind the last one were multiplied with the others, whatever they hold.
    alignas(64) float last[kSide * kSide];
    for_tiles<kUnits>([&](auto unit) HWY_ATTR {
      constexpr int kUnitNumber = decltype(unit)::value;
      if (own == kSide) return tile_store<kUnitNumber>(to + kUnitNumber * kUnit, y_stride);
      tile_store<kUnitNumber>(last, kSide);
      for (std::int64_t r = 0; r < own; ++r)
        store(load(last + r * kSide), to + r * y_stride + kUnitNumber * kUnit);
    });
  }
}

/// Calls `work` for each four panels of `width` floats, and for what is left, with their number as
/// a constant and the first one's.
template <class Work>
HWY_INLINE void for_tile_panels(std::int64_t width, const Work& work) {
  const std::int64_t panels = width / kUnit;
  std::int64_t p = 0;
  for (; p + kResultTiles <= panels; p += kResultTiles)
    work(std::integral_constant<int, kResultTiles>(), p);
  if (p + 2 <= panels) {
    work(std::integral_constant<int, 2>(), p);
    p += 2;
  }
  if (p < panels) work(std::integral_constant<int, 1>(), p);
}

/// Y `[rows, b.width]` = X · B, plus a bias. X: rows of `depth` cells, room for kBlockRows of them.
template <Start start>
HWY_INLINE void multiply_tiles(const float* x, std::int64_t depth, std::int64_t rows,
                               const Panels& b, const float* bias, float* y,
                               std::int64_t y_stride) {
  for_tile_panels(b.width, [&](auto units, std::int64_t panel) HWY_ATTR {
    tile_strip<decltype(units)::value, start>(x, depth, rows, b, panel, bias, y, y_stride);
  });
}

/// Rows of numbers.
struct NumberRows {
  const float* at;
  std::int64_t stride;
  std::int64_t width;  ///< a multiple of kUnit
};

/// The row's numbers with the next one's; zeros behind the last of `rows`.
HWY_INLINE Floats row_pair_at(const NumberRows& of, std::int64_t row, std::int64_t rows,
                              std::int64_t column) {
  const float* at = of.at + row * of.stride + column;
  return native_row_pair(row < rows ? load(at) : zeros(),
                         row + 1 < rows ? load(at + of.stride) : zeros());
}

/// Cells over rows as pair_rows has them, but a column after the other: `[width, cells]`, `cells` a
/// multiple of 8 with zeros behind the last row.
HWY_INLINE void pair_rows_by_columns(const NumberRows& of, std::int64_t rows, std::int64_t cells,
                                     float* to) {
  // Eight vectors of 16 columns are turned into 16 rows of eight: within the registers' quarters
  // first, then these are brought together.
  const __m512i lower = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const __m512i upper =
      _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
  for (std::int64_t c = 0; c < of.width; c += kUnit) {
    for (std::int64_t k = 0; k < cells; k += 8) {
      __m512 quarter[2][4];  // [k / 4][c % 4]: of columns c, c + 4, c + 8, c + 12 four cells each
      for (int half = 0; half < 2; ++half) {
        __m512 v[4];
        for (int i = 0; i < 4; ++i) v[i] = row_pair_at(of, 2 * (k + 4 * half + i), rows, c).raw;
        const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(v[0], v[1]));
        const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(v[0], v[1]));
        const __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(v[2], v[3]));
        const __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(v[2], v[3]));
        quarter[half][0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
        quarter[half][1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
        quarter[half][2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
        quarter[half][3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
      }
      float* const at = to + c * cells + k;
      for (std::int64_t i = 0; i < 4; ++i) {
        const __m512 first = _mm512_permutex2var_ps(quarter[0][i], lower, quarter[1][i]);
        const __m512 last = _mm512_permutex2var_ps(quarter[0][i], upper, quarter[1][i]);
        _mm256_storeu_ps(at + i * cells, _mm512_castps512_ps256(first));
        _mm256_storeu_ps(at + (i + 4) * cells, _mm512_extractf32x8_ps(first, 1));
        _mm256_storeu_ps(at + (i + 8) * cells, _mm512_castps512_ps256(last));
        _mm256_storeu_ps(at + (i + 12) * cells, _mm512_extractf32x8_ps(last, 1));
      }
    }
  }
}

/// G `[a.width, x.width]` += Aᵀ · X for at most kBlockRows rows. `cells`: room for both as cells.
HWY_INLINE void add_outer_tiles(float* cells, const NumberRows& a, const NumberRows& x,
                                std::int64_t rows, float* g, std::int64_t g_stride) {
  const std::int64_t depth = padded(rows) / 2;
  float* const a_cells = cells;                    // [a.width, depth]
  float* const x_cells = cells + a.width * depth;  // [depth, x.width]
  pair_rows_by_columns(a, rows, depth, a_cells);
  for (std::int64_t k = 0; k < depth; ++k)
    for (std::int64_t c = 0; c < x.width; c += kLanes)
      store(row_pair_at(x, 2 * k, rows, c), x_cells + k * x.width + c);
  for_tile_panels(x.width, [&](auto units, std::int64_t panel) HWY_ATTR {
    constexpr int kUnits = decltype(units)::value;
    for (std::int64_t o = 0; o < a.width; o += kSide) {
      float* const to = g + o * g_stride + panel * kUnit;
      for_tiles<kUnits>([&](auto unit) HWY_ATTR {
        tile_load<decltype(unit)::value>(to + decltype(unit)::value * kUnit, g_stride);
      });
      add_tile_products<kUnits>(
          a_cells + o * depth, depth,
          [&](auto unit, std::int64_t k)
              HWY_ATTR { return x_cells + k * x.width + (panel + decltype(unit)::value) * kUnit; },
          x.width, depth);
      for_tiles<kUnits>([&](auto unit) HWY_ATTR {
        tile_store<decltype(unit)::value>(to + decltype(unit)::value * kUnit, g_stride);
      });
    }
  });
}

#else

/// Here are none.
struct TileScope {
  explicit TileScope(Arithmetic) {}
};

#endif

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
