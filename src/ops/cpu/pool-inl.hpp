// Pooling of a text's rows. Vector code, compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_POOL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_POOL_INL
#undef DIFFUSE_OPS_CPU_POOL_INL
#else
#define DIFFUSE_OPS_CPU_POOL_INL
#endif

#include <limits>

#include "math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

HWY_INLINE void pool_mean(const float* rows, std::int64_t n, std::int64_t width, float* to) {
  const Floats inverse = broadcast(1.0F / static_cast<float>(n));
  for (std::int64_t c = 0; c < width; c += kLanes) {
    Floats sum = zeros();
    for (std::int64_t i = 0; i < n; ++i) sum = hn::Add(sum, load(rows + i * width + c));
    store(hn::Mul(sum, inverse), to + c);
  }
}

/// A NaN in any row is a NaN in the maximum.
HWY_INLINE void pool_max(const float* rows, std::int64_t n, std::int64_t width, float* to) {
  for (std::int64_t c = 0; c < width; c += kLanes) {
    Floats most = load(rows + c);
    auto good = hn::Eq(most, most);
    for (std::int64_t i = 1; i < n; ++i) {
      const Floats value = load(rows + i * width + c);
      most = hn::Max(value, most);
      good = hn::And(good, hn::Eq(value, value));
    }
    store(hn::IfThenElse(good, most, broadcast(std::numeric_limits<float>::quiet_NaN())), to + c);
  }
}

/// A row's share of the mean's gradient, in a text of `length` rows of which `n` are here.
HWY_INLINE void unpool_mean(const float* d, std::int64_t length, std::int64_t n, std::int64_t width,
                            float* rows) {
  const Floats inverse = broadcast(1.0F / static_cast<float>(length));
  for (std::int64_t c = 0; c < width; c += kLanes) {
    const Floats share = hn::Mul(load(d + c), inverse);
    for (std::int64_t i = 0; i < n; ++i) store(share, rows + i * width + c);
  }
}

/// How many of the rows have `top` in the channels from `c` on.
HWY_INLINE Floats count_equal(const float* state, std::int64_t n, std::int64_t width,
                              std::int64_t c, Floats top) {
  Floats count = zeros();
  for (std::int64_t i = 0; i < n; ++i)
    count = hn::Add(count,
                    hn::IfThenElseZero(hn::Eq(load(state + i * width + c), top), broadcast(1.0F)));
  return count;
}

/// Adds the maximum's gradient to the rows that have it: in even parts where they are several.
/// `ties`: how many, null where all that can are here.
HWY_INLINE void add_unpooled_max(const float* d, const float* most, const float* ties,
                                 const float* state, std::int64_t n, std::int64_t width,
                                 float* rows) {
  for (std::int64_t c = 0; c < width; c += kLanes) {
    const Floats top = load(most + c);
    const Floats count = ties == nullptr ? count_equal(state, n, width, c, top) : load(ties + c);
    const Floats share = hn::Div(load(d + c), hn::Max(count, broadcast(1.0F)));
    for (std::int64_t i = 0; i < n; ++i) {
      const auto has = hn::Eq(load(state + i * width + c), top);
      store(hn::Add(load(rows + i * width + c), hn::IfThenElseZero(has, share)),
            rows + i * width + c);
    }
  }
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
