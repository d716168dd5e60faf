#include "thread_memory.hpp"

#include <algorithm>
#include <numeric>

namespace diffuse::cpu {
namespace {

/// Behind each array: the vectors of the last random numbers may reach beyond the end.
constexpr std::int64_t kSlack = 8 * kUnit;

bool keeps_steps(Keep keep) { return keep == Keep::all || keep == Keep::inputs; }

/// Floats of each of a step's arrays for `rows` rows, in the order of StepBuffers.
struct StepSizes {
  StepSizes(const DiffusionPlan& plan, std::int64_t rows, Keep keep) {
    const DiffusionSpec& spec = plan.spec;
    const std::int64_t state = rows * plan.widths.state;
    const bool post = spec.norm == NormPosition::post;
    sizes[0] = state;
    sizes[1] = spec.norm == NormPosition::pre ? padded(rows) : 0;
    sizes[2] = spec.norm != NormPosition::none ? padded(rows) : 0;
    sizes[3] = post ? state : 0;
    const bool all = keep == Keep::all;
    const bool linear = spec.function == FunctionKind::linear;
    sizes[4] = !all || spec.function == FunctionKind::glu ? rows * plan.widths.in : 0;
    sizes[5] = all ? rows * plan.widths.active : 0;
    sizes[6] = sizes[5];
    // A second product would have to be made again, and matrices want the neighbours' values.
    sizes[7] = !linear || (spec.weight == WeightKind::full && !all) ? state : 0;
  }
  std::int64_t total() const {
    return std::accumulate(std::begin(sizes), std::end(sizes), std::int64_t{0});
  }

  /// Takes the arrays from `take(floats)`.
  template <class Take>
  void place(StepBuffers& step, const Take& take) const {
    float** const places[] = {&step.state, &step.mean,  &step.rstd,  &step.xhat,
                              &step.first, &step.value, &step.slope, &step.u};
    for (std::size_t i = 0; i < std::size(places); ++i) *places[i] = take(sizes[i]);
    if (step.u == nullptr) step.u = step.value;
  }

  std::int64_t sizes[8];
};

template <class Take>
void place_block(const Widths& widths, BlockBuffers& block, const Take& take) {
  const std::int64_t active = kBlockRows * widths.active;
  block.xhat = take(kBlockRows * widths.state);
  block.mean = take(padded(kBlockRows));
  block.rstd = take(padded(kBlockRows));
  block.first = take(kBlockRows * widths.in);
  block.value = take(active);
  block.slope = take(active);
  block.u = take(kBlockRows * widths.state);
}

std::int64_t block_floats(const Widths& widths) {
  return kBlockRows * (2 * widths.state + widths.in + 2 * widths.active) + 2 * padded(kBlockRows);
}

}  // namespace

std::int64_t bytes_a_row(const DiffusionPlan& plan, Keep keep) {
  const std::int64_t state = plan.widths.state;
  const std::int64_t kept = keeps_steps(keep) ? StepSizes(plan, kUnit, keep).total() / kUnit *
                                                    static_cast<std::int64_t>(plan.steps.size())
                                              : 0;
  // The state, u and on the way back two gradients.
  const std::int64_t rows =
      keep == Keep::nothing ? 2 : 4 + (keep == Keep::some_states ? kSavedStates : 0);
  return static_cast<std::int64_t>(sizeof(float)) * (kept + rows * state);
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
  const bool back = keep != Keep::nothing;
  const std::int64_t saved_states = keep == Keep::some_states ? kSavedStates : 0;
  const std::int64_t count = bounds.back();
  const std::int64_t state = count * plan.widths.state;
  const bool initial = plan.spec.base == BaseState::initial;
  const std::int64_t factor = plan.spec.pooling == Pooling::mean_max ? 2 : 1;
  const std::int64_t pooled = plan.spec.pooling ? chunk().texts() * factor * plan.widths.state : 0;
  const bool full = plan.spec.weight == WeightKind::full;
  workspace.block_size =
      kBlockRows * std::max({plan.widths.state, plan.widths.in, plan.widths.hidden,
                             full ? plan.widths.mix / plan.widths.state : 0});
  const StepSizes sizes(plan, count, keep);
  const auto steps = keeps_steps(keep) ? static_cast<std::int64_t>(plan.steps.size()) : 0;
  const std::int64_t arrays = 24 + saved_states + 8 * steps;
  buffer_.reserve(state * (saved_states + (back ? 7 : 4)) + 4 * workspace.block_size + 2 * pooled +
                  steps * sizes.total() + block_floats(plan.widths) + arrays * (kSlack + kUnit));
  float* at = buffer_.data();
  const auto take = [&at](std::int64_t floats) -> float* {
    if (floats == 0) return nullptr;
    float* const from = at;
    at += padded(floats) + kSlack;
    return from;
  };
  workspace.state = take(state);
  workspace.u = take(state);  // noise is drawn here too
  workspace.gradient = back ? take(state) : nullptr;
  workspace.next_gradient = back ? take(state) : nullptr;
  workspace.initial_gradient = back && initial ? take(state) : nullptr;
  workspace.block = take(3 * workspace.block_size);
  const bool pairs = plan.arithmetic != Arithmetic::single;
  workspace.cells = pairs ? take(workspace.block_size) : nullptr;
  bits = reinterpret_cast<std::uint16_t*>(take((state + 1) / 2 + kSlack));
  output = take(pooled);
  output_gradient = back ? take(pooled) : nullptr;
  saved.resize(static_cast<std::size_t>(saved_states));
  for (float*& one : saved) one = take(state);
  place_block(plan.widths, workspace.of_block, take);
  workspace.steps.resize(static_cast<std::size_t>(steps));
  for (StepBuffers& step : workspace.steps) sizes.place(step, take);
  // Kept, the first step's state is the initial one.
  workspace.start = steps > 0 ? workspace.steps.front().state : workspace.state;
  workspace.initial = !initial ? nullptr : steps > 0 ? workspace.start : take(state);
}

}  // namespace diffuse::cpu
