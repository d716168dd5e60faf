#include "thread_memory.hpp"

#include <algorithm>
#include <numeric>

namespace diffuse::cpu {
namespace {

/// Behind each array: the vectors of the last random numbers may reach beyond the end.
constexpr std::int64_t kSlack = 8 * kUnit;

bool has_norm(const DiffusionSpec& spec) { return spec.norm != NormPosition::none; }

/// Floats of each of a step's arrays for `rows` rows, in the order of StepBuffers.
struct StepSizes {
  StepSizes(const DiffusionPlan& plan, std::int64_t rows, bool keep) {
    const DiffusionSpec& spec = plan.spec;
    const std::int64_t state = rows * plan.widths.state;
    const std::int64_t hidden = rows * plan.widths.hidden;
    const bool is_linear = spec.function == FunctionKind::linear;
    sizes[0] = keep && spec.norm != NormPosition::pre ? state : 0;
    sizes[1] = keep && has_norm(spec) ? state : 0;
    sizes[2] = keep && has_norm(spec) ? padded(rows) : 0;
    sizes[3] = keep && !is_linear ? hidden : 0;
    sizes[4] = keep && spec.function == FunctionKind::glu ? hidden : 0;
    sizes[5] = keep && spec.activation != Activation::identity ? (is_linear ? state : hidden) : 0;
    sizes[6] = state;
    sizes[7] = keep && !spec.alpha && spec.base == BaseState::state ? state : 0;
  }
  std::int64_t total() const {
    return std::accumulate(std::begin(sizes), std::end(sizes), std::int64_t{0});
  }

  /// Takes the arrays from `take(floats)`.
  template <class Take>
  void place(StepBuffers& step, const Take& take) const {
    float** const places[] = {&step.x,    &step.xhat,  &step.rstd, &step.hidden,
                              &step.gate, &step.slope, &step.u,    &step.base};
    for (std::size_t i = 0; i < std::size(places); ++i) *places[i] = take(sizes[i]);
  }

  std::int64_t sizes[8];
};

}  // namespace

std::int64_t bytes_a_row(const DiffusionPlan& plan, Keep keep) {
  const std::int64_t state = plan.widths.state;
  const bool all = keep == Keep::all;
  const std::int64_t steps = all ? static_cast<std::int64_t>(plan.steps.size()) : 1;
  const std::int64_t rows = keep == Keep::nothing ? 1 : all ? 3 : 3 + kSavedStates;
  return static_cast<std::int64_t>(sizeof(float)) *
         (StepSizes(plan, kUnit, all).total() / kUnit * steps + rows * state);
}

void ThreadMemory::take_texts(std::span<const std::int64_t> texts,
                              std::span<const std::int32_t> offsets) {
  rows.clear();
  bounds.assign(1, 0);
  for (const std::int64_t text : texts) {
    const auto at = static_cast<std::size_t>(text);
    rows.push_back({offsets[at], offsets[at + 1] - offsets[at]});
    bounds.push_back(bounds.back() + rows.back().count);
  }
  own = {0, bounds.back()};
}

void ThreadMemory::take_piece(RowSpan piece, std::int64_t text,
                              std::span<const std::int32_t> offsets, std::int64_t halo) {
  const auto at = static_cast<std::size_t>(text);
  const std::int64_t first = std::max<std::int64_t>(0, piece.begin - halo);
  const std::int64_t end = std::min<std::int64_t>(offsets[at + 1] - offsets[at], piece.end + halo);
  rows.assign(1, {offsets[at] + first, end - first});
  bounds.assign({0, end - first});
  own = {piece.begin - first, piece.end - first};
}

void ThreadMemory::arrange(const DiffusionPlan& plan, Keep keep) {
  kept = keep;
  const bool all = keep == Keep::all;
  const bool back = keep != Keep::nothing;
  const std::int64_t saved_states = keep == Keep::some_states ? kSavedStates : 0;
  const std::int64_t count = bounds.back();
  const std::int64_t texts = chunk().texts();
  const std::int64_t state = count * plan.widths.state;
  const bool initial = plan.spec.base == BaseState::initial;
  const std::int64_t factor = plan.spec.pooling == Pooling::mean_max ? 2 : 1;
  const std::int64_t pooled = plan.spec.pooling ? texts * factor * plan.widths.state : 0;
  const bool full = plan.spec.weight == WeightKind::full;
  workspace.block_size =
      kBlockRows * std::max({plan.widths.state, plan.widths.in, plan.widths.hidden,
                             full ? plan.widths.mix / plan.widths.state : 0});
  const StepSizes sizes(plan, count, all);
  const StepSizes block_sizes(plan, kBlockRows, true);
  const std::int64_t steps = static_cast<std::int64_t>(plan.steps.size());
  const std::int64_t sets = all ? steps : std::min<std::int64_t>(steps, 1);
  const std::int64_t arrays = 24 + saved_states + 8 * sets;
  buffer_.reserve(state * (saved_states + (back ? 6 : 4)) + 4 * workspace.block_size + 2 * pooled +
                  sets * sizes.total() + block_sizes.total() + arrays * (kSlack + kUnit));
  float* at = buffer_.data();
  const auto take = [&at](std::int64_t floats) -> float* {
    if (floats == 0) return nullptr;
    float* const from = at;
    at += padded(floats) + kSlack;
    return from;
  };
  workspace.state = take(state);
  workspace.initial = initial ? take(state) : nullptr;
  workspace.values = take(state);  // noise is drawn here too
  workspace.gradient = back ? take(state) : nullptr;
  workspace.spare = back && initial ? take(state) : nullptr;
  workspace.block = take(3 * workspace.block_size);
  const bool pairs = plan.arithmetic != Arithmetic::single;
  workspace.cells = pairs ? take(workspace.block_size) : nullptr;
  bits = reinterpret_cast<std::uint16_t*>(take((state + 1) / 2 + kSlack));
  output = take(pooled);
  output_gradient = back ? take(pooled) : nullptr;
  saved.resize(static_cast<std::size_t>(saved_states));
  for (float*& one : saved) one = take(state);
  workspace.of_block = {};
  if (!all) block_sizes.place(workspace.of_block, take);
  workspace.steps.resize(static_cast<std::size_t>(steps));
  for (std::size_t t = 0; t < workspace.steps.size(); ++t) {
    if (t > 0 && !all)
      workspace.steps[t] = workspace.steps[0];
    else
      sizes.place(workspace.steps[t], take);
  }
}

}  // namespace diffuse::cpu
