// What works on rows alone: normalisation, activations, sums of columns. Vector code, compiled once
// for each instruction set.
#if defined(DIFFUSE_OPS_CPU_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_ROWS_INL
#undef DIFFUSE_OPS_CPU_ROWS_INL
#else
#define DIFFUSE_OPS_CPU_ROWS_INL
#endif

#include <cmath>
#include <cstddef>

#include "math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

constexpr float kNormEpsilon = 1e-5F;

/// Zeroes what stands behind the first `width` of `padded_width` floats of each row.
HWY_INLINE void clear_padding(float* rows, std::int64_t count, std::int64_t width,
                              std::int64_t padded_width) {
  if (width == padded_width) return;
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t c = width; c < padded_width; ++c) rows[i * padded_width + c] = 0;
}

/// The sum of (x - mean)² over the first `dim` floats of a row. What is padded is masked: each of
/// it is as far away as the mean itself, and taking that off the sum afterwards would leave a
/// variance far below mean² without its digits, or negative.
HWY_INLINE float square_deviations(const float* row, std::int64_t dim, float mean) {
  const Floats centre = broadcast(mean);
  const std::int64_t whole = dim / kLanes * kLanes;
  Floats squares = zeros();
  for (std::int64_t c = 0; c < whole; c += kLanes) {
    const Floats off = hn::Sub(load(row + c), centre);
    squares = hn::MulAdd(off, off, squares);
  }
  if (whole < dim) {
    const auto own = hn::FirstN(kFloats, static_cast<std::size_t>(dim - whole));
    const Floats off = hn::IfThenElseZero(own, hn::Sub(load(row + whole), centre));
    squares = hn::MulAdd(off, off, squares);
  }
  return sum_of(squares);
}

/// Layer normalisation without its factor and shift, in two passes over a row in cache.
HWY_INLINE void normalise(const float* rows, std::int64_t count, std::int64_t dim,
                          std::int64_t width, float* xhat, float* mean, float* rstd) {
  const float inverse = 1.0F / static_cast<float>(dim);
  for (std::int64_t i = 0; i < count; ++i) {
    const float* row = rows + i * width;
    Floats sum = zeros();
    for (std::int64_t c = 0; c < width; c += kLanes) sum = hn::Add(sum, load(row + c));
    mean[i] = sum_of(sum) * inverse;
    const float variance = square_deviations(row, dim, mean[i]) * inverse;
    rstd[i] = 1.0F / std::sqrt(variance + kNormEpsilon);
    const Floats centre = broadcast(mean[i]);
    for (std::int64_t c = 0; c < width; c += kLanes)
      store(hn::Mul(hn::Sub(load(row + c), centre), broadcast(rstd[i])), xhat + i * width + c);
  }
  clear_padding(xhat, count, dim, width);
}

/// The same rows again, from what they gave.
HWY_INLINE void normalise_by(const float* rows, const float* mean, const float* rstd,
                             std::int64_t count, std::int64_t dim, std::int64_t width,
                             float* xhat) {
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t c = 0; c < width; c += kLanes)
      store(hn::Mul(hn::Sub(load(rows + i * width + c), broadcast(mean[i])), broadcast(rstd[i])),
            xhat + i * width + c);
  clear_padding(xhat, count, dim, width);
}

/// to = xhat · factor + shift.
HWY_INLINE void scale_and_shift(const float* xhat, std::int64_t count, std::int64_t width,
                                const float* factor, const float* shift, float* to) {
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t c = 0; c < width; c += kLanes)
      store(hn::MulAdd(load(xhat + i * width + c), load(factor + c), load(shift + c)),
            to + i * width + c);
}

/// to += the sum of the rows.
HWY_INLINE void add_columns(const float* rows, std::int64_t count, std::int64_t width, float* to) {
  for (std::int64_t c = 0; c < width; c += kLanes) {
    Floats sum = load(to + c);
    for (std::int64_t i = 0; i < count; ++i) sum = hn::Add(sum, load(rows + i * width + c));
    store(sum, to + c);
  }
}

/// to += the sum of a ∘ b over rows.
HWY_INLINE void add_column_products(const float* a, const float* b, std::int64_t count,
                                    std::int64_t width, float* to) {
  for (std::int64_t c = 0; c < width; c += kLanes) {
    Floats sum = load(to + c);
    for (std::int64_t i = 0; i < count; ++i)
      sum = hn::MulAdd(load(a + i * width + c), load(b + i * width + c), sum);
    store(sum, to + c);
  }
}

/// The gradient of scale_and_shift: `dy` of its output becomes that of xhat, in place; those of
/// factor and shift are added up, unless null.
HWY_INLINE void scale_and_shift_back(float* dy, const float* xhat, std::int64_t count,
                                     std::int64_t width, const float* factor,
                                     float* factor_gradient, float* shift_gradient) {
  if (factor_gradient != nullptr) {
    add_column_products(dy, xhat, count, width, factor_gradient);
    add_columns(dy, count, width, shift_gradient);
  }
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t c = 0; c < width; c += kLanes)
      store(hn::Mul(load(dy + i * width + c), load(factor + c)), dy + i * width + c);
}

/// The gradient of normalise: `dy` of xhat becomes that of the rows, in place.
HWY_INLINE void normalise_back(float* dy, const float* xhat, const float* rstd, std::int64_t count,
                               std::int64_t dim, std::int64_t width) {
  const float inverse = 1.0F / static_cast<float>(dim);
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = dy + i * width;
    const float* normalised = xhat + i * width;
    Floats sum = zeros();
    Floats product = zeros();
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const Floats d = load(row + c);
      sum = hn::Add(sum, d);
      product = hn::MulAdd(d, load(normalised + c), product);
    }
    const Floats mean = broadcast(sum_of(sum) * inverse);
    const Floats slope = broadcast(sum_of(product) * inverse);
    const Floats scale = broadcast(rstd[i]);
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const Floats d = hn::Sub(load(row + c), mean);
      store(hn::Mul(hn::NegMulAdd(load(normalised + c), slope, d), scale), row + c);
    }
  }
  clear_padding(dy, count, dim, width);
}

/// Activates `count` floats; `value` may be `from`. Derivatives go to `slope` where it is not null.
HWY_INLINE void activate(Activation kind, const float* from, float* value, float* slope,
                         std::int64_t count) {
  with_activation(kind, [&](auto constant) HWY_ATTR {
    constexpr Activation kKind = decltype(constant)::value;
    if (slope == nullptr) {
      for (std::int64_t c = 0; c < count; c += kLanes)
        store(activated<kKind>(load(from + c)).value, value + c);
      return;
    }
    for (std::int64_t c = 0; c < count; c += kLanes) {
      const Activated at = activated<kKind>(load(from + c));
      store(at.value, value + c);
      store(at.slope, slope + c);
    }
  });
}

/// values ∘= factors, element by element.
HWY_INLINE void multiply_into(float* values, const float* factors, std::int64_t count) {
  for (std::int64_t c = 0; c < count; c += kLanes)
    store(hn::Mul(load(values + c), load(factors + c)), values + c);
}

/// values += others, element by element.
HWY_INLINE void add_into(float* values, const float* others, std::int64_t count) {
  for (std::int64_t c = 0; c < count; c += kLanes)
    store(hn::Add(load(values + c), load(others + c)), values + c);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
