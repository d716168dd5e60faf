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
HWY_INLINE void with_pairs(Arithmetic arithmetic, const Work& work) {
#if HWY_TARGET == HWY_AVX3
  if (arithmetic == Arithmetic::native_pairs) return work(NativePairs());
#endif
  (void)arithmetic;
  work(Pairs());
}

/// Products of some rows: what they are made of, and room for the rows as cells: kBlockRows times
/// the widest of them, none for single.
struct Products {
  Arithmetic arithmetic = Arithmetic::single;
  float* cells = nullptr;
};

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

/// Cells along a row, `count` numbers, a multiple of kUnit: i with i + 8 of each 16.
HWY_INLINE void pair_columns(const float* from, std::int64_t count, float* to) {
  constexpr std::int64_t kHalf = kUnit / 2;
  constexpr hn::CappedTag<float, kHalf> floats;
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<float, kHalf>()));
  for (std::int64_t k = 0; k < count; k += kUnit)
    for (std::int64_t i = 0; i < kHalf; i += lanes)
      hn::StoreU(
          pair(floats, hn::LoadU(floats, from + k + i), hn::LoadU(floats, from + k + kHalf + i)),
          floats, to + k / 2 + i);
}

/// Cells over rows, `[(rows + 1) / 2, width]`: each row with the next, the last with zeros where
/// their number is odd.
HWY_INLINE void pair_rows(const float* from, std::int64_t stride, std::int64_t rows,
                          std::int64_t width, float* to) {
  for (std::int64_t i = 0; i < rows; i += 2, to += width)
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const float* at = from + i * stride + c;
      store(pair(kFloats, load(at), i + 1 < rows ? load(at + stride) : zeros()), to + c);
    }
}

/// A panel of `depth` rows becomes one of cells, in its first half: rows i and i + 8 of each 16,
/// as pair_columns has them.
HWY_INLINE void pair_panel_rows(float* panel, std::int64_t depth) {
  constexpr std::int64_t kHalf = kUnit / 2;
  for (std::int64_t k = 0; k < depth; k += kUnit)
    for (std::int64_t i = 0; i < kHalf; ++i)
      for (std::int64_t c = 0; c < kUnit; c += kLanes) {
        const float* at = panel + (k + i) * kUnit + c;
        store(pair(kFloats, load(at), load(at + kHalf * kUnit)), panel + (k / 2 + i) * kUnit + c);
      }
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
