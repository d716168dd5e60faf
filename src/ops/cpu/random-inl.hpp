// Random numbers by place: those of ops/counter_random.hpp, many at a time. Vector code, compiled
// once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_RANDOM_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_RANDOM_INL
#undef DIFFUSE_OPS_CPU_RANDOM_INL
#else
#define DIFFUSE_OPS_CPU_RANDOM_INL
#endif

#include <hwy/contrib/math/math-inl.h>

#include "diffuse/ops/counter_random.hpp"
#include "math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

using WordTag = hn::CappedTag<std::uint32_t, kUnit>;
using Words = hn::Vec<WordTag>;
constexpr WordTag kWords;

struct WordBlock {
  Words words[4];
};

/// The two halves of the products of `x`'s lanes with one number.
struct WideProduct {
  Words low;
  Words high;
};
HWY_INLINE WideProduct wide_product(Words x, Words factor) {
  const hn::RepartitionToWide<WordTag> wide;
  const auto even = hn::MulEven(x, factor);
  const auto odd =
      hn::MulEven(hn::BitCast(kWords, hn::ShiftRight<32>(hn::BitCast(wide, x))), factor);
  return {hn::OddEven(hn::BitCast(kWords, hn::ShiftLeft<32>(odd)), hn::BitCast(kWords, even)),
          hn::OddEven(hn::BitCast(kWords, odd), hn::BitCast(kWords, hn::ShiftRight<32>(even)))};
}

/// Philox4x32-10 (Salmon et al., SC 2011) of as many counters as there are lanes.
HWY_INLINE WordBlock philox(WordBlock counter, std::uint64_t seed) {
  const Words m0 = hn::Set(kWords, kPhiloxMultiplier0);
  const Words m1 = hn::Set(kWords, kPhiloxMultiplier1);
  auto key0 = static_cast<std::uint32_t>(seed);
  auto key1 = static_cast<std::uint32_t>(seed >> 32);
  Words c0 = counter.words[0];
  Words c1 = counter.words[1];
  Words c2 = counter.words[2];
  Words c3 = counter.words[3];
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const WideProduct a = wide_product(c0, m0);
    const WideProduct b = wide_product(c2, m1);
    c0 = hn::Xor(hn::Xor(b.high, c1), hn::Set(kWords, key0));
    c1 = b.low;
    c2 = hn::Xor(hn::Xor(a.high, c3), hn::Set(kWords, key1));
    c3 = a.low;
    key0 += kPhiloxKeyStep0;
    key1 += kPhiloxKeyStep1;
  }
  return {{c0, c1, c2, c3}};
}

/// Calls `work(words, index)` with the blocks of `blocks_a_row` counters for each of `rows` rows
/// from `row` on, as many as lanes at a time; the last may reach beyond the end.
template <class Work>
HWY_INLINE void for_blocks(const RandomPlace& place, RandomStream stream, std::int64_t row,
                           std::int64_t rows, std::int64_t blocks_a_row, const Work& work) {
  HWY_ALIGN std::uint32_t row_of[kUnit];
  HWY_ALIGN std::uint32_t block_of[kUnit];
  auto at_row = static_cast<std::uint32_t>(row);
  std::uint32_t at_block = 0;
  const Words third = hn::Set(kWords, counter_word(place, stream));
  const Words fourth = hn::Set(kWords, place.update);
  for (std::int64_t i = 0; i < rows * blocks_a_row; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      row_of[lane] = at_row;
      block_of[lane] = at_block;
      if (++at_block == blocks_a_row) {
        at_block = 0;
        ++at_row;
      }
    }
    work(
        philox({{hn::Load(kWords, row_of), hn::Load(kWords, block_of), third, fourth}}, place.seed),
        i);
  }
}

/// 16 random bits for each of `width` channels of `rows` rows: channel c is half c % 8 of block
/// c / 8. `to` has room for kUnit blocks more.
HWY_INLINE void random_halves(const RandomPlace& place, RandomStream stream, std::int64_t row,
                              std::int64_t rows, std::int64_t width, std::uint16_t* to) {
  for_blocks(place, stream, row, rows, width / 8,
             [&](const WordBlock& block, std::int64_t i) HWY_ATTR {
               hn::StoreInterleaved4(block.words[0], block.words[1], block.words[2], block.words[3],
                                     kWords, reinterpret_cast<std::uint32_t*>(to) + 4 * i);
             });
}

/// values = bits < threshold ? values · scale : 0.
HWY_INLINE void drop(float* values, const std::uint16_t* bits, std::int64_t count,
                     std::uint32_t threshold, float scale) {
  const hn::Rebind<std::uint16_t, WordTag> halves;
  for (std::int64_t c = 0; c < count; c += kLanes) {
    const Words number = hn::PromoteTo(kWords, hn::LoadU(halves, bits + c));
    const auto kept =
        hn::Lt(hn::ConvertTo(kFloats, hn::BitCast(hn::RebindToSigned<FloatTag>(), number)),
               broadcast(static_cast<float>(threshold)));
    store(hn::IfThenElseZero(kept, hn::Mul(load(values + c), broadcast(scale))), values + c);
  }
}

/// Normal numbers for `width` channels of `rows` rows by Box and Muller: channels 4 b … 4 b + 3 are
/// of block b. `to` has room for kUnit blocks more.
HWY_INLINE void random_normals(const RandomPlace& place, std::int64_t row, std::int64_t rows,
                               std::int64_t width, float* to) {
  const hn::RebindToSigned<FloatTag> ints;
  const auto unit = [&](Words word, float shift) HWY_ATTR {
    const Floats top = hn::ConvertTo(kFloats, hn::BitCast(ints, hn::ShiftRight<8>(word)));
    return hn::Mul(hn::Add(top, broadcast(shift)), broadcast(0x1p-24F));
  };
  for_blocks(place, RandomStream::noise, row, rows, width / 4,
             [&](const WordBlock& block, std::int64_t i) HWY_ATTR {
               Floats normals[4];
               for (int pair = 0; pair < 2; ++pair) {
                 const Floats first = unit(block.words[2 * pair], 0.5F);
                 const Floats angle =
                     hn::Mul(unit(block.words[2 * pair + 1], 0.0F), broadcast(6.283185307F));
                 const Floats radius = hn::Sqrt(hn::Mul(hn::Log(kFloats, first), broadcast(-2.0F)));
                 normals[2 * pair] = hn::Mul(radius, hn::Cos(kFloats, angle));
                 normals[2 * pair + 1] = hn::Mul(radius, hn::Sin(kFloats, angle));
               }
               hn::StoreInterleaved4(normals[0], normals[1], normals[2], normals[3], kFloats,
                                     to + 4 * i);
             });
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
