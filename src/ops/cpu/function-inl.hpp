// f, the function of a step, on a block of rows. Vector code, compiled once for each instruction
// set.
#if defined(DIFFUSE_OPS_CPU_FUNCTION_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_FUNCTION_INL
#undef DIFFUSE_OPS_CPU_FUNCTION_INL
#else
#define DIFFUSE_OPS_CPU_FUNCTION_INL
#endif

#include "product-inl.hpp"
#include "rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

/// to = a ∘ b.
HWY_INLINE void multiply_rows(const float* a, const float* b, std::int64_t count, float* to) {
  for (std::int64_t c = 0; c < count; c += kLanes) store(hn::Mul(load(a + c), load(b + c)), to + c);
}

/// A glu's product a(w) ∘ v of rows (v, w) `[rows, 2 H]`; `gate`: a(w).
HWY_INLINE void multiply_gate(const float* both, const float* gate, std::int64_t rows,
                              std::int64_t hidden, float* product) {
  for (std::int64_t i = 0; i < rows; ++i)
    multiply_rows(both + 2 * i * hidden, gate + i * hidden, hidden, product + i * hidden);
}

/// The activated rows of f's first product, of a glu those of the gate; with their derivatives
/// where `slope` is not null.
HWY_INLINE void activate_first(const DiffusionSpec& spec, const Widths& widths, const float* first,
                               std::int64_t rows, float* value, float* slope) {
  if (spec.function != FunctionKind::glu)
    return activate(spec.activation, first, value, slope, rows * widths.in);
  const std::int64_t hidden = widths.hidden;
  for (std::int64_t i = 0; i < rows; ++i)
    activate(spec.activation, first + (2 * i + 1) * hidden, value + i * hidden,
             slope == nullptr ? nullptr : slope + i * hidden, hidden);
}

/// f's values of activated rows, where there is a second product. `scratch`: a block.
HWY_INLINE void apply_second(const DiffusionSpec& spec, const Widths& widths,
                             const PackedStep& step, const Products& by, const float* first,
                             const float* value, std::int64_t rows, float* u, float* scratch) {
  if (spec.function == FunctionKind::glu) {
    multiply_gate(first, value, rows, widths.hidden, scratch);
    value = scratch;
  }
  multiply<Start::bias>(by, value, widths.hidden, rows, step.out, step.out_bias, u, widths.state);
}

/// u = f(x) for `rows` rows, by way of the first product's rows `[rows, in]` and these activated,
/// `value`, which are u where f is linear. `slope`: as for activate_first.
HWY_INLINE void apply_function(const DiffusionSpec& spec, const Widths& widths,
                               const PackedStep& step, const Products& by, const float* x,
                               std::int64_t rows, float* first, float* value, float* slope,
                               float* u, float* scratch) {
  multiply<Start::bias>(by, x, widths.state, rows, step.in, step.in_bias, first, widths.in);
  activate_first(spec, widths, first, rows, value, slope);
  if (spec.function != FunctionKind::linear)
    apply_second(spec, widths, step, by, first, value, rows, u, scratch);
}

/// A block of f's rows on the way back.
struct FunctionRows {
  const float* x = nullptr;      ///< [rows, D] the input
  const float* first = nullptr;  ///< [rows, in]
  const float* value = nullptr;  ///< of activate_first
  const float* slope = nullptr;  ///< of activate_first
};

/// The gradient of the second product and of what it multiplies: `g`, that of u, becomes that of
/// the first product's rows, `inner` `[rows, in]`. `product`: a block.
HWY_INLINE void second_back(const DiffusionSpec& spec, const Widths& widths, const PackedStep& step,
                            const GradientOffsets& offsets, const Products& by, std::int64_t rows,
                            const FunctionRows& of, const float* g, float* slot, float* inner,
                            float* product) {
  const std::int64_t state = widths.state;
  const std::int64_t hidden = widths.hidden;
  const bool gated = spec.function == FunctionKind::glu;
  if (slot != nullptr) {
    add_columns(g, rows, state, slot + offsets.out_bias);
    if (gated) multiply_gate(of.first, of.value, rows, hidden, product);
    add_outer(by, g, state, state, gated ? product : of.value, hidden, hidden, rows,
              slot + offsets.out, hidden);
  }
  float* to = gated ? product : inner;
  multiply<Start::zero>(by, g, state, rows, step.out_back, nullptr, to, hidden);
  if (!gated) return;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < hidden; c += kLanes) {
      const Floats d = load(product + i * hidden + c);
      store(hn::Mul(d, load(of.value + i * hidden + c)), inner + 2 * i * hidden + c);
      store(
          hn::Mul(hn::Mul(d, load(of.first + 2 * i * hidden + c)), load(of.slope + i * hidden + c)),
          inner + (2 * i + 1) * hidden + c);
    }
  }
}

/// The gradient of f on a block: `g` `[rows, D]`, that of u, is overwritten; dx `[rows, D]` comes
/// out. `slot`: null where the parameters get no gradient. `block`: two blocks of memory.
HWY_INLINE void function_back(const DiffusionSpec& spec, const Widths& widths,
                              const PackedStep& step, const GradientOffsets& offsets,
                              const Products& by, std::int64_t rows, const FunctionRows& of,
                              float* g, float* slot, float* dx, float* block,
                              std::int64_t block_size) {
  float* inner = g;  // gradient of the first product's rows
  if (spec.function != FunctionKind::linear) {
    inner = block;
    second_back(spec, widths, step, offsets, by, rows, of, g, slot, inner, block + block_size);
  }
  if (spec.function != FunctionKind::glu) multiply_into(inner, of.slope, rows * widths.in);
  if (slot != nullptr) {
    add_columns(inner, rows, widths.in, slot + offsets.in_bias);
    add_outer(by, inner, widths.in, widths.in, of.x, widths.state, widths.state, rows,
              slot + offsets.in, widths.state);
  }
  multiply<Start::zero>(by, inner, widths.in, rows, step.in_back, nullptr, dx, widths.state);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
