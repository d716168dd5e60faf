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

/// What a block of f's rows keeps for its gradient; null where nothing does.
struct FunctionRows {
  float* hidden = nullptr;
  float* gate = nullptr;
  float* slope = nullptr;
  float* u = nullptr;
};

HWY_INLINE FunctionRows function_rows(const StepBuffers& buffers, std::int64_t first,
                                      std::int64_t state, std::int64_t hidden) {
  const auto at = [first](float* rows, std::int64_t width) {
    return rows == nullptr ? nullptr : rows + first * width;
  };
  return {at(buffers.hidden, hidden), at(buffers.gate, hidden),
          at(buffers.slope, hidden > 0 ? hidden : state), at(buffers.u, state)};
}

/// Splits (v, w) `[rows, 2 H]` into v and a(w); `slope` gets a'(w) where it is not null.
HWY_INLINE void split_gate(Activation kind, const float* both, std::int64_t rows,
                           std::int64_t hidden, float* linear, float* gate, float* slope) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::size_t bytes = static_cast<std::size_t>(hidden) * sizeof(float);
    std::memcpy(linear + i * hidden, both + 2 * i * hidden, bytes);
    std::memcpy(gate + i * hidden, both + (2 * i + 1) * hidden, bytes);
  }
  activate(kind, gate, slope, rows * hidden);
}

/// to = a ∘ b.
HWY_INLINE void multiply_rows(const float* a, const float* b, std::int64_t count, float* to) {
  for (std::int64_t c = 0; c < count; c += kLanes) store(hn::Mul(load(a + c), load(b + c)), to + c);
}

/// u = f(x) for `rows` rows. `block`: two blocks of memory, `block_size` floats each.
HWY_INLINE void apply_function(const DiffusionSpec& spec, const Widths& widths,
                               const PackedStep& step, const Products& by, const float* x,
                               std::int64_t rows, FunctionRows to, float* block,
                               std::int64_t block_size) {
  const std::int64_t state = widths.state;
  const std::int64_t hidden = widths.hidden;
  switch (spec.function) {
    case FunctionKind::linear:
      multiply<Start::bias>(by, x, state, rows, step.in, step.in_bias, to.u, state);
      activate(spec.activation, to.u, to.slope, rows * state);
      return;
    case FunctionKind::mlp: {
      float* active = to.hidden != nullptr ? to.hidden : block;
      multiply<Start::bias>(by, x, state, rows, step.in, step.in_bias, active, hidden);
      activate(spec.activation, active, to.slope, rows * hidden);
      multiply<Start::bias>(by, active, hidden, rows, step.out, step.out_bias, to.u, state);
      return;
    }
    case FunctionKind::glu: {
      float* both = block;
      float* product = block + block_size;
      multiply<Start::bias>(by, x, state, rows, step.in, step.in_bias, both, widths.in);
      float* linear = to.hidden != nullptr ? to.hidden : product;
      float* gate = to.gate != nullptr ? to.gate : block + 2 * block_size;
      split_gate(spec.activation, both, rows, hidden, linear, gate, to.slope);
      multiply_rows(linear, gate, rows * hidden, product);
      multiply<Start::bias>(by, product, hidden, rows, step.out, step.out_bias, to.u, state);
      return;
    }
  }
}

/// The gradient of f on a block: `g` `[rows, D]`, that of u, is overwritten; `x` is f's input
/// again; dx `[rows, D]` comes out. `slot`: null where the parameters get no gradient. `block`: two
/// blocks of memory.
HWY_INLINE void function_back(const DiffusionSpec& spec, const Widths& widths,
                              const PackedStep& step, const GradientOffsets& offsets,
                              const Products& by, const float* x, std::int64_t rows,
                              const FunctionRows& kept, float* g, float* slot, float* dx,
                              float* block, std::int64_t block_size) {
  const std::int64_t state = widths.state;
  const std::int64_t hidden = widths.hidden;
  float* inner = g;  // gradient of the first matrix's outputs
  if (spec.function != FunctionKind::linear) {
    if (slot != nullptr) {
      add_columns(g, rows, state, slot + offsets.out_bias);
      float* product = kept.hidden;
      if (spec.function == FunctionKind::glu) {
        product = block + block_size;
        multiply_rows(kept.hidden, kept.gate, rows * hidden, product);
      }
      add_outer(by, g, state, state, product, hidden, hidden, rows, slot + offsets.out, hidden);
    }
    inner = block;
    if (spec.function == FunctionKind::mlp) {
      multiply<Start::zero>(by, g, state, rows, step.out_back, nullptr, inner, hidden);
    } else {
      float* dproduct = block + block_size;
      multiply<Start::zero>(by, g, state, rows, step.out_back, nullptr, dproduct, hidden);
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t c = 0; c < hidden; c += kLanes) {
          const Floats d = load(dproduct + i * hidden + c);
          store(hn::Mul(d, load(kept.gate + i * hidden + c)), inner + 2 * i * hidden + c);
          Floats dgate = hn::Mul(d, load(kept.hidden + i * hidden + c));
          if (kept.slope != nullptr) dgate = hn::Mul(dgate, load(kept.slope + i * hidden + c));
          store(dgate, inner + (2 * i + 1) * hidden + c);
        }
      }
    }
  }
  if (kept.slope != nullptr && spec.function != FunctionKind::glu)
    multiply_into(inner, kept.slope, rows * widths.in);
  if (slot != nullptr) {
    add_columns(inner, rows, widths.in, slot + offsets.in_bias);
    add_outer(by, inner, widths.in, widths.in, x, state, state, rows, slot + offsets.in, state);
  }
  multiply<Start::zero>(by, inner, widths.in, rows, step.in_back, nullptr, dx, state);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
