// Work on single rows of a table of any width. Vector code, compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_TABLE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_TABLE_INL
#undef DIFFUSE_OPS_CPU_TABLE_INL
#else
#define DIFFUSE_OPS_CPU_TABLE_INL
#endif

#include <cmath>

#include "diffuse/ops/row_update.hpp"
#include "math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

HWY_INLINE void add_to_row(float* to, const float* from, std::int64_t count) {
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) store(hn::Add(load(to + c), load(from + c)), to + c);
  for (; c < count; ++c) to[c] += from[c];
}

HWY_INLINE double row_square_sum(const float* from, std::int64_t count) {
  Floats sum = zeros();
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) sum = hn::MulAdd(load(from + c), load(from + c), sum);
  float rest = 0;
  for (; c < count; ++c) rest += from[c] * from[c];
  return static_cast<double>(sum_of(sum) + rest);
}

/// The factors of an update as vectors need them.
struct RowFactors {
  RowFactors(const RowUpdate& rule, const RowAbsence& absence)
      : gradient(narrow(rule.gradient_scale)),
        kept1(narrow(absence.moment1)),
        new1(narrow(1.0 - rule.beta1)),
        kept2(narrow(absence.moment2)),
        new2(narrow(1.0 - rule.beta2)),
        root(narrow(1.0 / std::sqrt(rule.correction2))),
        epsilon(narrow(rule.epsilon)),
        rate(narrow(rule.learning_rate / rule.correction1)),
        weight(narrow(absence.weight)),
        average_before(narrow(absence.average)),
        average_now(narrow(rule.kept_average)) {}

  static Floats narrow(double value) { return broadcast(static_cast<float>(value)); }

  Floats gradient, kept1, new1, kept2, new2, root, epsilon, rate, weight, average_before,
      average_now;
};

/// `kLanes` channels from `c` on.
HWY_INLINE void update_lanes(const RowFactors& by, const float* gradient, const RowState& row,
                             std::int64_t c) {
  const Floats g = hn::Mul(load(gradient + c), by.gradient);
  const Floats before = load(row.values + c);
  const Floats m = hn::MulAdd(load(row.moment1 + c), by.kept1, hn::Mul(g, by.new1));
  const Floats v = hn::MulAdd(load(row.moment2 + c), by.kept2, hn::Mul(hn::Mul(g, g), by.new2));
  const Floats root = hn::MulAdd(hn::Sqrt(v), by.root, by.epsilon);
  const Floats step = hn::Div(hn::Mul(m, by.rate), root);
  const Floats after = hn::MulSub(before, by.weight, step);
  store(m, row.moment1 + c);
  store(v, row.moment2 + c);
  store(after, row.values + c);
  if (row.average == nullptr) return;
  // Up to this update the row stood still; now it is where it is.
  const Floats old = hn::MulAdd(hn::Sub(load(row.average + c), before), by.average_before, before);
  store(hn::MulAdd(hn::Sub(old, after), by.average_now, after), row.average + c);
}

HWY_INLINE void update_row_values(const RowUpdate& rule, const RowAbsence& absence,
                                  const float* gradient, std::int64_t count, const RowState& row) {
  const RowFactors by(rule, absence);
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) update_lanes(by, gradient, row, c);
  if (c == count) return;
  // The rest by way of whole vectors, so that every channel is computed in the same way.
  HWY_ALIGN float parts[5][kUnit] = {};
  const std::int64_t rest = count - c;
  const float* from[] = {gradient + c, row.values + c, row.moment1 + c, row.moment2 + c,
                         row.average == nullptr ? nullptr : row.average + c};
  for (int i = 0; i < 5; ++i)
    for (std::int64_t k = 0; k < rest && from[i] != nullptr; ++k) parts[i][k] = from[i][k];
  update_lanes(by, parts[0],
               {parts[1], parts[2], parts[3], row.average == nullptr ? nullptr : parts[4]}, 0);
  for (std::int64_t k = 0; k < rest; ++k) {
    row.values[c + k] = parts[1][k];
    row.moment1[c + k] = parts[2][k];
    row.moment2[c + k] = parts[3][k];
    if (row.average != nullptr) row.average[c + k] = parts[4][k];
  }
}

HWY_INLINE void follow_row_tail(const RowTail& tail, std::int64_t count, const RowState& row,
                                float* to) {
  const auto distance = static_cast<float>(tail.distance);
  const auto weight = static_cast<float>(tail.weight);
  const auto epsilon = static_cast<float>(tail.epsilon);
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) {
    const Floats root = hn::Add(hn::Sqrt(load(row.moment2 + c)), broadcast(epsilon));
    const Floats step = hn::Div(hn::Mul(load(row.moment1 + c), broadcast(distance)), root);
    store(hn::MulSub(load(row.values + c), broadcast(weight), step), to + c);
  }
  for (; c < count; ++c)
    to[c] =
        row.values[c] * weight - row.moment1[c] * distance / (std::sqrt(row.moment2[c]) + epsilon);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
