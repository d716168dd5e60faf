#include "layout.hpp"

namespace diffuse::cpu {

Widths::Widths(const DiffusionSpec& spec)
    : dim(spec.dim),
      state(padded(spec.dim)),
      hidden(spec.function == FunctionKind::linear ? 0 : padded(spec.hidden_dim)),
      active(hidden > 0 ? hidden : state),
      neighbours(spec.neighbours()) {
  switch (spec.function) {
    case FunctionKind::linear:
      in = state;
      break;
    case FunctionKind::mlp:
      in = hidden;
      break;
    case FunctionKind::glu:
      in = 2 * hidden;
      break;
  }
  mix = neighbours * state * (spec.weight == WeightKind::full ? state : 1);
}

GradientLayout::GradientLayout(const DiffusionSpec& spec, const Widths& widths) {
  const auto take = [this](std::int64_t count) {
    const std::int64_t at = size;
    size += count;
    return at;
  };
  for (std::int64_t set = 0; set < spec.set_count(); ++set) {
    GradientOffsets own;
    const std::int64_t norm = spec.norm == NormPosition::post ? widths.state : 0;
    own.norm_weight = take(norm);
    own.norm_bias = take(norm);
    own.in = take(widths.in * widths.state);
    own.in_bias = take(widths.in);
    own.out = take(widths.state * widths.hidden);
    own.out_bias = take(widths.state);
    own.mix = take(widths.mix);
    own.alpha = take(widths.state);
    sets.push_back(own);
  }
}

}  // namespace diffuse::cpu
