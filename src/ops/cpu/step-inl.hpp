// A step of the operator, forward. Vector code, compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_STEP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_STEP_INL
#undef DIFFUSE_OPS_CPU_STEP_INL
#else
#define DIFFUSE_OPS_CPU_STEP_INL
#endif

#include <cstring>

#include "function-inl.hpp"
#include "mix-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

Products products(const DiffusionPlan& plan, const Workspace& workspace) {
  return {plan.arithmetic, workspace.cells};
}

/// Neighbours by matrices: their rows side by side and one product.
void mix_by_matrices(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                     const Workspace& workspace, const float* u, const float* base, float* to) {
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  float* gathered = workspace.block;
  float* mixed = workspace.block + workspace.block_size;
  for (std::int64_t first = 0; first < chunk.rows(); first += kBlockRows) {
    const std::int64_t rows = HWY_MIN(kBlockRows, chunk.rows() - first);
    gather_neighbours(chunk, step.shifts, first, first + rows, width, u, gathered);
    multiply<Start::zero>(products(plan, workspace), gathered, own.mix.depth, rows, own.mix,
                          nullptr, mixed, width);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t c = 0; c < width; c += kLanes)
        store(hn::MulAdd(load(own.alpha + c), load(base + (first + i) * width + c),
                         load(mixed + i * width + c)),
              to + (first + i) * width + c);
  }
}

void mix_by_factors(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                    const float* u, const float* base, float* to) {
  const std::int64_t width = plan.widths.state;
  with_shift_count(step.shifts.size(), [&](auto count) HWY_ATTR {
    for (std::size_t t = 0; t + 1 < chunk.bounds.size(); ++t) {
      const std::int64_t at = chunk.bounds[t] * width;
      mix_text<decltype(count)::value>(step.shifts, chunk.bounds[t + 1] - chunk.bounds[t], width,
                                       u + at, step.parameters->factor, step.parameters->alpha,
                                       base + at, to + at);
    }
  });
}

/// u = f(norm(h)) of all rows of `state`. `keep`: null, or where to keep what the gradient needs.
void compute_values(const DiffusionPlan& plan, const PackedStep& own, const Chunk& chunk,
                    const Workspace& workspace, const float* state, const StepBuffers* keep,
                    float* u) {
  const std::int64_t width = plan.widths.state;
  const BlockBuffers& block = workspace.of_block;
  for (std::int64_t first = 0; first < chunk.rows(); first += kBlockRows) {
    const std::int64_t rows = HWY_MIN(kBlockRows, chunk.rows() - first);
    const float* x = state + first * width;
    if (plan.spec.norm == NormPosition::pre) {
      normalise(x, rows, plan.widths.dim, width, block.xhat,
                keep != nullptr ? keep->mean + first : block.mean,
                keep != nullptr ? keep->rstd + first : block.rstd);
      x = block.xhat;
    }
    const std::int64_t at = first * plan.widths.active;
    const bool keeps_slope = keep != nullptr && keep->slope != nullptr;
    float* values = u + first * width;
    float* value = plan.spec.function == FunctionKind::linear ? values
                   : keeps_slope                              ? keep->value + at
                                                              : block.value;
    const bool keeps_first = keep != nullptr && keep->first != nullptr;
    apply_function(plan.spec, plan.widths, own, products(plan, workspace), x, rows,
                   keeps_first ? keep->first + first * plan.widths.in : block.first, value,
                   keeps_slope ? keep->slope + at : nullptr, values, workspace.block);
  }
}

/// The neighbours' sum and the base into `to`, which may be the base.
void mix(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
         const Workspace& workspace, const float* u, const float* base, float* to) {
  if (plan.spec.weight == WeightKind::full)
    mix_by_matrices(plan, step, chunk, workspace, u, base, to);
  else
    mix_by_factors(plan, step, chunk, u, base, to);
}

/// A step from one state to another, which may be the same memory. `keep` as for compute_values.
void run_step(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
              const Workspace& workspace, const float* from, const StepBuffers* keep, float* to) {
  const std::int64_t width = plan.widths.state;
  const BlockBuffers& block = workspace.of_block;
  float* u = keep != nullptr && keep->u != nullptr ? keep->u : workspace.u;
  compute_values(plan, *step.parameters, chunk, workspace, from, keep, u);
  mix(plan, step, chunk, workspace, u,
      plan.spec.base == BaseState::initial ? workspace.initial : from, to);
  if (plan.spec.norm != NormPosition::post) return;
  for (std::int64_t first = 0; first < chunk.rows(); first += kBlockRows) {
    const std::int64_t rows = HWY_MIN(kBlockRows, chunk.rows() - first);
    float* state = to + first * width;
    float* xhat = keep != nullptr ? keep->xhat + first * width : block.xhat;
    normalise(state, rows, plan.widths.dim, width, xhat, block.mean,
              keep != nullptr ? keep->rstd + first : block.rstd);
    scale_and_shift(xhat, rows, width, step.parameters->norm_weight, step.parameters->norm_bias,
                    state);
  }
}

void run_steps(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
               StepRange range) {
  const TileScope tiles(plan.arithmetic);
  const std::vector<StepBuffers>& kept = workspace.steps;
  if (workspace.initial != nullptr && workspace.initial != workspace.start && range.begin == 0 &&
      range.end > 0)
    std::memcpy(workspace.initial, workspace.start,
                static_cast<std::size_t>(chunk.rows() * plan.widths.state) * sizeof(float));
  for (std::size_t t = range.begin; t < range.end; ++t) {
    const StepBuffers* keep = kept.empty() ? nullptr : &kept[t];
    run_step(plan, plan.steps[t], chunk, workspace, keep == nullptr ? workspace.state : keep->state,
             keep, t + 1 < kept.size() ? kept[t + 1].state : workspace.state);
  }
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
