// Numbers in bf16: float32 without its last 16 bits, rounded to nearest even. Two of them are a
// cell, the first in its lower half; a product of cells is two products of numbers. Vector code,
// compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_PAIRS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_PAIRS_INL
#undef DIFFUSE_OPS_CPU_PAIRS_INL
#else
#define DIFFUSE_OPS_CPU_PAIRS_INL
#endif

#include "math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

/// A cell is one float32 number.
struct Single {
  static constexpr int kParts = 1;
  template <int kPart>
  static HWY_INLINE Floats part(Floats cell) {
    return cell;
  }
  static HWY_INLINE Floats multiply_add(Floats a, Floats b, Floats sum) {
    return hn::MulAdd(a, b, sum);
  }
};

/// A cell is two bf16 numbers, multiplied one after the other as float32 ones.
struct Pairs : Single {
  static constexpr int kParts = 2;
  template <int kPart>
  static HWY_INLINE Floats part(Floats cell) {
    const hn::RebindToUnsigned<FloatTag> words;
    const auto bits = hn::BitCast(words, cell);
    if constexpr (kPart == 0) return hn::BitCast(kFloats, hn::ShiftLeft<16>(bits));
    return hn::BitCast(kFloats, hn::And(bits, hn::Set(words, 0xFFFF0000U)));
  }
};

#if HWY_TARGET == HWY_AVX3
/// The same by the instruction of avx512_bf16, which this target does not promise: only where
/// the processor was asked (kernels.cpp).
struct NativePairs : Single {
  static HWY_INLINE Floats multiply_add(Floats a, Floats b, Floats sum) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
};
#endif

/// Calls `work` with the class that multiplies pairs.
template <class Work>
HWY_INLINE void with_pairs([[maybe_unused]] Arithmetic arithmetic, const Work& work) {
#if HWY_TARGET == HWY_AVX3
  if (arithmetic == Arithmetic::native_pairs) return work(NativePairs());
#endif
  work(Pairs());
}

/// Where a product's result starts: at zero, at a bias, or at what it holds.
enum class Start { zero, bias, result };

/// Products of some rows: what they are made of, and room for the rows as cells: kBlockRows times
/// the widest of them, none for single.
struct Products {
  Arithmetic arithmetic = Arithmetic::single;
  float* cells = nullptr;
};

#if HWY_TARGET == HWY_AVX3
/// The numbers of two vectors rounded to bf16 by avx512_bf16, those of `first` before those of
/// `second`: a cell of each two neighbours. Numbers below the smallest normal one become 0.
HWY_INLINE Floats native_pair(Floats first, Floats second) {
  Floats cells;
  asm("vcvtne2ps2bf16 %1, %2, %0" : "=v"(cells.raw) : "v"(first.raw), "v"(second.raw));
  return cells;
}

/// See pair_columns.
HWY_INLINE void native_pair_columns(const float* from, std::int64_t count, float* to) {
  std::int64_t k = 0;
  for (; k + 2 * kUnit <= count; k += 2 * kUnit)
    store(native_pair(load(from + k), load(from + k + kUnit)), to + k / 2);
  if (k == count) return;
  const hn::CappedTag<float, kUnit / 2> half;
  hn::StoreU(hn::LowerHalf(half, native_pair(load(from + k), zeros())), half, to + k / 2);
}

/// A row's numbers with those of the next one: cells over rows.
HWY_INLINE Floats native_row_pair(Floats row, Floats next) {
  alignas(64) static constexpr std::uint16_t kInTurns[32] = {
      0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i words = _mm512_castps_si512(native_pair(row, next).raw);
  return Floats{_mm512_castsi512_ps(_mm512_permutexvar_epi16(
      _mm512_load_si512(kInTurns), words))};  // Highway has none of 16 bits
}

/// See pair_rows.
HWY_INLINE void native_pair_rows(const float* from, std::int64_t stride, std::int64_t rows,
                                 std::int64_t width, float* to) {
  for (std::int64_t i = 0; i < rows; i += 2, to += width)
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const float* at = from + i * stride + c;
      store(native_row_pair(load(at), i + 1 < rows ? load(at + stride) : zeros()), to + c);
    }
}
#endif

/// The numbers of two vectors rounded to bf16, as cells. A NaN stays one.
template <class Tag>
HWY_INLINE hn::Vec<Tag> pair(Tag floats, hn::Vec<Tag> first, hn::Vec<Tag> second) {
  const hn::RebindToUnsigned<Tag> words;
  const auto rounded = [&](hn::Vec<Tag> value) HWY_ATTR {
    const auto bits = hn::BitCast(words, value);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1U));
    const auto nearest = hn::Add(bits, hn::Add(odd, hn::Set(words, 0x7FFFU)));
    const auto quiet = hn::Or(bits, hn::Set(words, 0x400000U));
    return hn::IfThenElse(hn::RebindMask(words, hn::Eq(value, value)), nearest, quiet);
  };
  const auto upper = hn::And(rounded(second), hn::Set(words, 0xFFFF0000U));
  return hn::BitCast(floats, hn::Or(hn::ShiftRight<16>(rounded(first)), upper));
}

/// Cells along a row, `count` numbers, a multiple of kUnit: each even one with the next.
HWY_INLINE void pair_columns([[maybe_unused]] Arithmetic arithmetic, const float* from,
                             std::int64_t count, float* to) {
#if HWY_TARGET == HWY_AVX3
  if (arithmetic != Arithmetic::pairs) return native_pair_columns(from, count, to);
#endif
  constexpr std::int64_t kHalf = kUnit / 2;
  constexpr hn::CappedTag<float, kHalf> floats;
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<float, kHalf>()));
  for (std::int64_t k = 0; k < count; k += 2 * lanes) {
    const auto first = hn::LoadU(floats, from + k);
    const auto second = hn::LoadU(floats, from + k + lanes);
    hn::StoreU(
        pair(floats, hn::ConcatEven(floats, second, first), hn::ConcatOdd(floats, second, first)),
        floats, to + k / 2);
  }
}

/// Cells over rows, `[(rows + 1) / 2, width]`: each row with the next, the last with zeros where
/// their number is odd.
HWY_INLINE void pair_rows([[maybe_unused]] Arithmetic arithmetic, const float* from,
                          std::int64_t stride, std::int64_t rows, std::int64_t width, float* to) {
#if HWY_TARGET == HWY_AVX3
  if (arithmetic != Arithmetic::pairs) return native_pair_rows(from, stride, rows, width, to);
#endif
  for (std::int64_t i = 0; i < rows; i += 2, to += width)
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const float* at = from + i * stride + c;
      store(pair(kFloats, load(at), i + 1 < rows ? load(at + stride) : zeros()), to + c);
    }
}

/// A panel of `depth` rows becomes one of cells, in its first half: rows 2 i and 2 i + 1, as
/// pair_columns has them.
HWY_INLINE void pair_panel_rows(float* panel, std::int64_t depth) {
  for (std::int64_t k = 0; k < depth; k += 2)
    for (std::int64_t c = 0; c < kUnit; c += kLanes) {
      const float* at = panel + k * kUnit + c;
      store(pair(kFloats, load(at), load(at + kUnit)), panel + k / 2 * kUnit + c);
    }
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
