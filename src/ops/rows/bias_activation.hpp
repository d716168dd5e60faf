#pragma once

#include <cmath>
#include <cstdint>

#include "diffuse/config/config.hpp"
#include "ops/rows/host_device.hpp"

namespace diffuse::rows {

/// What f does to a product: out = a(p + bias), or, gated, of rows (v, w) = p + bias of twice as
/// many channels v ∘ a(w). T is the type of the product and of the result, A that of bias and of
/// arithmetic.
template <class T, class A>
struct BiasActivation {
  std::int64_t rows = 0;       ///< N
  std::int64_t dim = 0;        ///< H, channels of the result
  const T* product = nullptr;  ///< [N, H], gated [N, 2 H]
  const A* bias = nullptr;     ///< [H], gated [2 H]
  Activation activation = Activation::identity;
  bool gated = false;

  DIFFUSE_HOST_DEVICE std::int64_t width() const { return gated ? 2 * dim : dim; }
  /// Where the channel that `a` takes stands in the product.
  DIFFUSE_HOST_DEVICE std::int64_t active(std::int64_t channel) const {
    return gated ? dim + channel : channel;
  }
  DIFFUSE_HOST_DEVICE A biased(std::int64_t row, std::int64_t at) const {
    return static_cast<A>(product[row * width() + at]) + bias[at];
  }
};

/// a(x), and its slope there.
template <class A>
struct Curve {
  A value;
  A slope;
};

/// A number that is none stays that, as with LibTorch.
template <class A>
DIFFUSE_HOST_DEVICE inline Curve<A> curve(Activation activation, A x) {
  switch (activation) {
    case Activation::identity:
      break;
    case Activation::relu:
      return {x < 0 ? A{0} : x, x <= 0 ? A{0} : A{1}};
    case Activation::gelu: {  // by erf
      const A below = A(0.5) * (1 + std::erf(x * A(0.70710678118654752440)));
      const A density = A(0.39894228040143267794) * std::exp(A(-0.5) * x * x);
      return {x * below, below + x * density};
    }
    case Activation::silu: {
      const A share = 1 / (1 + std::exp(-x));
      return {x * share, share * (1 + x * (1 - share))};
    }
    case Activation::tanh: {
      const A value = std::tanh(x);
      return {value, 1 - value * value};
    }
  }
  return {x, A{1}};
}

template <class T, class A>
DIFFUSE_HOST_DEVICE inline T activated(const BiasActivation<T, A>& of, std::int64_t row,
                                       std::int64_t channel) {
  const A value = curve(of.activation, of.biased(row, of.active(channel))).value;
  return static_cast<T>(of.gated ? of.biased(row, channel) * value : value);
}

/// The gradients of the product in rows `from` … `to` - 1 of one channel of the result; adds them
/// up, one row after the other, before they are rounded: `active` that of the channel that `a`
/// takes, `factor` that of its factor, where it is gated.
template <class T, class A>
DIFFUSE_HOST_DEVICE inline void add_product_gradients(const BiasActivation<T, A>& of,
                                                      const T* gradient, std::int64_t from,
                                                      std::int64_t to, std::int64_t channel,
                                                      T* product, A& active, A& factor) {
  const std::int64_t at = of.active(channel);
  for (std::int64_t row = from; row < to; ++row) {
    auto own = static_cast<A>(gradient[row * of.dim + channel]);
    const Curve<A> here = curve(of.activation, of.biased(row, at));
    if (of.gated) {
      const A by_factor = own * here.value;
      product[row * of.width() + channel] = static_cast<T>(by_factor);
      factor += by_factor;
      own *= of.biased(row, channel);
    }
    own *= here.slope;
    product[row * of.width() + at] = static_cast<T>(own);
    active += own;
  }
}

}  // namespace diffuse::rows
