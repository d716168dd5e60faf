// Vector code, compiled once for each instruction set: no include guard but Highway's.
#if defined(DIFFUSE_OPS_CPU_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_MATH_INL
#undef DIFFUSE_OPS_CPU_MATH_INL
#else
#define DIFFUSE_OPS_CPU_MATH_INL
#endif

#include <hwy/highway.h>

#include "layout.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, kUnit>;
using Floats = hn::Vec<FloatTag>;
constexpr FloatTag kFloats;
constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(FloatTag()));
constexpr int kUnitVectors = static_cast<int>(kUnit / kLanes);

HWY_INLINE Floats load(const float* from) { return hn::LoadU(kFloats, from); }
HWY_INLINE void store(Floats value, float* to) { hn::StoreU(value, kFloats, to); }
HWY_INLINE Floats broadcast(float value) { return hn::Set(kFloats, value); }
HWY_INLINE Floats zeros() { return hn::Zero(kFloats); }
HWY_INLINE float sum_of(Floats value) { return hn::GetLane(hn::SumOfLanes(kFloats, value)); }

/// e^x to a unit or two in the last place; 0 below -87, infinity's neighbour above 88.
HWY_INLINE Floats exponential(Floats x) {
  const hn::RebindToSigned<FloatTag> ints;
  // A NaN stays one: Min and Max would give the bound.
  const auto number = hn::Eq(x, x);
  const Floats bounded = hn::Max(hn::Min(x, broadcast(88.3762626F)), broadcast(-87.3365478F));
  const Floats n = hn::Round(hn::Mul(bounded, broadcast(1.44269504F)));
  // ln 2 in two parts, the first exact in few bits, so that n · it has no rounding.
  Floats r = hn::NegMulAdd(n, broadcast(0.693359375F), bounded);
  r = hn::NegMulAdd(n, broadcast(-2.12194440e-4F), r);
  // Minimax on ±ln 2 / 2, relative error 3e-9.
  Floats p = broadcast(0.00138144985F);
  p = hn::MulAdd(p, r, broadcast(0.008368699216F));
  p = hn::MulAdd(p, r, broadcast(0.04166838815F));
  p = hn::MulAdd(p, r, broadcast(0.1666652078F));
  p = hn::MulAdd(p, r, broadcast(0.4999999345F));
  p = hn::MulAdd(p, hn::Mul(r, r), hn::Add(r, broadcast(1.0F)));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(ints, n), hn::Set(ints, 127)));
  const Floats result = hn::Mul(p, hn::BitCast(kFloats, exponent));
  return hn::IfThenElse(number, result, x);
}

/// The standard normal distribution at x, Phi(x), to 3e-7; 0 and 1 beyond 5.2.
HWY_INLINE Floats normal_distribution(Floats x) {
  // (Phi(x) - 1/2) / x as a quotient of polynomials in x², minimax on [0, 5.2], error 6e-8. All
  // coefficients are positive: no digits are lost.
  const Floats s = hn::Mul(x, x);
  Floats p = broadcast(5.837932349e-6F);
  p = hn::MulAdd(p, s, broadcast(3.141186899e-4F));
  p = hn::MulAdd(p, s, broadcast(0.005517854355F));
  p = hn::MulAdd(p, s, broadcast(0.04958131164F));
  p = hn::MulAdd(p, s, broadcast(0.3989419043F));
  Floats q = broadcast(5.016915452e-7F);
  q = hn::MulAdd(q, s, broadcast(1.126849747e-4F));
  q = hn::MulAdd(q, s, broadcast(0.002702947939F));
  q = hn::MulAdd(q, s, broadcast(0.03733252734F));
  q = hn::MulAdd(q, s, broadcast(0.2909426987F));
  q = hn::MulAdd(q, s, broadcast(1.0F));
  const Floats between = hn::MulAdd(x, hn::Div(p, q), broadcast(0.5F));
  const Floats most = hn::IfThenElse(hn::Gt(x, broadcast(5.2F)), broadcast(1.0F), between);
  return hn::IfThenZeroElse(hn::Lt(x, broadcast(-5.2F)), most);
}

/// Its density at x.
HWY_INLINE Floats normal_density(Floats x) {
  return hn::Mul(exponential(hn::Mul(hn::Mul(x, x), broadcast(-0.5F))), broadcast(0.3989422804F));
}

HWY_INLINE Floats hyperbolic_tangent(Floats x) {
  const Floats a = hn::Abs(x);
  // Near zero by a polynomial: 1 - e^(-2a) would lose its digits there.
  const Floats s = hn::Mul(x, x);
  Floats p = broadcast(-0.005705135186F);
  p = hn::MulAdd(p, s, broadcast(0.02063922434F));
  p = hn::MulAdd(p, s, broadcast(-0.0537397583F));
  p = hn::MulAdd(p, s, broadcast(0.1333144273F));
  p = hn::MulAdd(p, s, broadcast(-0.3333328196F));
  const Floats small = hn::MulAdd(hn::Mul(p, s), x, x);
  const Floats e = exponential(hn::Mul(a, broadcast(-2.0F)));
  const Floats large = hn::Div(hn::Sub(broadcast(1.0F), e), hn::Add(broadcast(1.0F), e));
  return hn::IfThenElse(hn::Lt(a, broadcast(0.625F)), small, hn::CopySign(large, x));
}

/// An activation's value and derivative at x.
struct Activated {
  Floats value;
  Floats slope;
};

template <Activation kind>
HWY_INLINE Activated activated(Floats x) {
  if constexpr (kind == Activation::relu) {
    // Max would make a NaN 0.
    const auto off = hn::Le(x, zeros());
    return {hn::IfThenZeroElse(off, x), hn::IfThenZeroElse(off, broadcast(1.0F))};
  } else if constexpr (kind == Activation::gelu) {
    const Floats distribution = normal_distribution(x);
    return {hn::Mul(x, distribution), hn::MulAdd(x, normal_density(x), distribution)};
  } else if constexpr (kind == Activation::silu) {
    const Floats e = exponential(hn::Neg(x));
    const Floats sigmoid = hn::Div(broadcast(1.0F), hn::Add(broadcast(1.0F), e));
    const Floats value = hn::Mul(x, sigmoid);
    return {value, hn::MulAdd(value, hn::Sub(broadcast(1.0F), sigmoid), sigmoid)};
  } else if constexpr (kind == Activation::tanh) {
    const Floats value = hyperbolic_tangent(x);
    return {value, hn::NegMulAdd(value, value, broadcast(1.0F))};
  } else {
    return {x, broadcast(1.0F)};
  }
}

/// Calls `work` with the activation as a compile-time constant.
template <class Work>
HWY_INLINE void with_activation(Activation kind, const Work& work) {
  switch (kind) {
    case Activation::identity:
      return work(std::integral_constant<Activation, Activation::identity>());
    case Activation::relu:
      return work(std::integral_constant<Activation, Activation::relu>());
    case Activation::gelu:
      return work(std::integral_constant<Activation, Activation::gelu>());
    case Activation::silu:
      return work(std::integral_constant<Activation, Activation::silu>());
    case Activation::tanh:
      return work(std::integral_constant<Activation, Activation::tanh>());
  }
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
