// The classification head and its loss on the pooled rows of some texts. Vector code, compiled once
// for each instruction set.
#if defined(DIFFUSE_OPS_CPU_HEAD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_HEAD_INL
#undef DIFFUSE_OPS_CPU_HEAD_INL
#else
#define DIFFUSE_OPS_CPU_HEAD_INL
#endif

#include <algorithm>
#include <cmath>

#include "head_plan.hpp"
#include "product-inl.hpp"
#include "random-inl.hpp"
#include "rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

HWY_INLINE void draw_head_dropout(const HeadBatch& batch, RandomStream stream, std::int64_t width,
                                  std::uint16_t* bits) {
  for (std::size_t t = 0; t < batch.texts.size(); ++t)
    random_halves(*batch.random, stream, batch.texts[t], 1, width,
                  bits + static_cast<std::int64_t>(t) * width);
}

HWY_INLINE void drop_head(const HeadPlan& plan, float* values, const std::uint16_t* bits,
                          std::int64_t count) {
  drop(values, bits, count, keep_threshold(plan.spec.dropout),
       static_cast<float>(1.0 / (1.0 - plan.spec.dropout)));
}

/// Logits `[n, C]` of pooled rows in `memory.input`, which dropout changes in place.
void head_forward(const HeadPlan& plan, const HeadBatch& batch, const HeadMemory& memory) {
  const auto n = static_cast<std::int64_t>(batch.texts.size());
  const bool drops = batch.random != nullptr && plan.spec.dropout > 0;
  if (drops) {
    draw_head_dropout(batch, RandomStream::head_input_dropout, plan.input, memory.input_bits);
    drop_head(plan, memory.input, memory.input_bits, n * plan.input);
  }
  const float* x = memory.input;
  if (plan.hidden > 0) {
    multiply<Start::bias>(Products(), x, plan.input, n, plan.in, plan.in_bias, memory.hidden,
                          plan.hidden);
    activate(Activation::gelu, memory.hidden, memory.hidden, memory.slope, n * plan.hidden);
    if (drops) {
      draw_head_dropout(batch, RandomStream::head_hidden_dropout, plan.hidden, memory.hidden_bits);
      drop_head(plan, memory.hidden, memory.hidden_bits, n * plan.hidden);
    }
    x = memory.hidden;
  }
  multiply<Start::bias>(Products(), x, plan.out.depth, n, plan.out, plan.out_bias, memory.logits,
                        plan.classes);
}

/// Cross-entropy of one text with `distribution`, [C], or, where that is null, with the smoothed
/// label; its gradient times `weight` replaces the logits.
HWY_INLINE float loss_of(const HeadPlan& plan, float* logits, std::int64_t label,
                         const float* distribution, float weight, bool* correct) {
  const std::int64_t classes = plan.spec.classes;
  std::int64_t best = 0;
  float sum = 0;
  bool number = true;
  for (std::int64_t c = 0; c < classes; ++c) {
    if (logits[c] > logits[best]) best = c;
    number = number && logits[c] == logits[c];
    sum += logits[c];
  }
  *correct = best == label && number;
  const float top = logits[best];
  const float given = logits[label];
  float wanted = 0;
  for (std::int64_t c = 0; distribution != nullptr && c < classes; ++c)
    wanted += distribution[c] * logits[c];
  // What is padded must not count: e^-87 of it is nothing.
  for (std::int64_t c = classes; c < plan.classes; ++c) logits[c] = top - 1000.0F;
  Floats total = zeros();
  for (std::int64_t c = 0; c < plan.classes; c += kLanes) {
    const Floats e = exponential(hn::Sub(load(logits + c), broadcast(top)));
    store(e, logits + c);
    total = hn::Add(total, e);
  }
  const float scale = sum_of(total);
  const auto smoothing = static_cast<float>(plan.label_smoothing);
  const float share = distribution != nullptr ? 0.0F : smoothing / static_cast<float>(classes);
  const float loss = distribution != nullptr
                         ? top + std::log(scale) - wanted
                         : top + std::log(scale) - (1.0F - smoothing) * given - share * sum;
  for (std::int64_t c = 0; c < plan.classes; c += kLanes)
    store(hn::Mul(hn::MulSub(load(logits + c), broadcast(1.0F / scale), broadcast(share)),
                  broadcast(weight)),
          logits + c);
  if (distribution == nullptr) logits[label] -= (1.0F - smoothing) * weight;
  for (std::int64_t c = 0; distribution != nullptr && c < classes; ++c)
    logits[c] -= distribution[c] * weight;
  for (std::int64_t c = classes; c < plan.classes; ++c) logits[c] = 0;
  return loss;
}

/// Of one text of several labels: the sum of each one's cross-entropy with `targets`, [C]; its
/// gradient times `weight` replaces the logits. `correct`: all labels are on their side of 1/2.
HWY_INLINE float loss_of_several(const HeadPlan& plan, float* logits, float* small,
                                 const float* targets, float weight, bool* correct) {
  // A product of so many factors from 1 to 2 is a number.
  constexpr std::int64_t kFactors = 512;
  const std::int64_t classes = plan.spec.classes;
  for (std::int64_t c = 0; c < plan.classes; c += kLanes)
    store(exponential(hn::Neg(hn::Abs(load(logits + c)))), small + c);
  *correct = true;
  double loss = 0;
  for (std::int64_t first = 0; first < classes; first += kFactors) {
    double product = 1;
    for (std::int64_t c = first; c < std::min(classes, first + kFactors); ++c) {
      const float z = logits[c];
      const float y = targets[c];
      loss += static_cast<double>(std::max(z, 0.0F) - y * z);
      product *= 1.0 + static_cast<double>(small[c]);
      *correct = *correct && (z > 0) == (y > 0.5F) && z == z;
      const float probability = (z >= 0 ? 1.0F : small[c]) / (1.0F + small[c]);
      logits[c] = (probability - y) * weight;
    }
    loss += std::log(product);
  }
  for (std::int64_t c = classes; c < plan.classes; ++c) logits[c] = 0;
  return static_cast<float>(loss);
}

/// Loss and gradients after head_forward: that of the pooled rows goes to `memory.input_gradient`,
/// the parameters' are added to `slot`.
HeadFigures head_backward(const HeadPlan& plan, const HeadBatch& batch, const HeadMemory& memory,
                          float* slot) {
  const auto n = static_cast<std::int64_t>(batch.texts.size());
  const bool drops = batch.random != nullptr && plan.spec.dropout > 0;
  HeadFigures figures;
  for (std::int64_t t = 0; t < n; ++t) {
    bool correct = false;
    const std::int64_t text = batch.texts[static_cast<std::size_t>(t)];
    const float own = batch.weights == nullptr ? 1.0F : batch.weights[text];
    const float* distribution =
        batch.distributions == nullptr ? nullptr : batch.distributions + text * plan.spec.classes;
    float* const logits = memory.logits + t * plan.classes;
    const float loss = batch.several ? loss_of_several(plan, logits, memory.label_memory,
                                                       distribution, own * batch.weight, &correct)
                                     : loss_of(plan, logits, batch.labels[text], distribution,
                                               own * batch.weight, &correct);
    figures.loss += static_cast<double>(own) * static_cast<double>(loss);
    figures.correct += correct ? 1 : 0;
  }
  float* d = memory.logits;
  const float* x = plan.hidden > 0 ? memory.hidden : memory.input;
  add_columns(d, n, plan.classes, slot + plan.out_bias_at);
  add_outer(Products(), d, plan.classes, plan.classes, x, plan.out.depth, plan.out.depth, n,
            slot + plan.out_at, plan.out.depth);
  float* dx = plan.hidden > 0 ? memory.hidden_gradient : memory.input_gradient;
  multiply<Start::zero>(Products(), d, plan.classes, n, plan.out_back, nullptr, dx, plan.out.depth);
  if (plan.hidden > 0) {
    if (drops) drop_head(plan, dx, memory.hidden_bits, n * plan.hidden);
    multiply_into(dx, memory.slope, n * plan.hidden);
    add_columns(dx, n, plan.hidden, slot + plan.in_bias_at);
    add_outer(Products(), dx, plan.hidden, plan.hidden, memory.input, plan.input, plan.input, n,
              slot + plan.in_at, plan.input);
    multiply<Start::zero>(Products(), dx, plan.hidden, n, plan.in_back, nullptr,
                          memory.input_gradient, plan.input);
  }
  if (drops) drop_head(plan, memory.input_gradient, memory.input_bits, n * plan.input);
  return figures;
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
