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

/// u = f(norm(h)) of all rows. `keep`: with what the gradient needs of it, in `buffers`.
void compute_values(const DiffusionPlan& plan, const PackedStep& own, const Chunk& chunk,
                    const Workspace& workspace, const StepBuffers& buffers, bool keep) {
  const std::int64_t width = plan.widths.state;
  for (std::int64_t first = 0; first < chunk.rows(); first += kBlockRows) {
    const std::int64_t rows = HWY_MIN(kBlockRows, chunk.rows() - first);
    const float* x = workspace.state + first * width;
    if (plan.spec.norm == NormPosition::pre) {
      float* xhat = keep ? buffers.xhat + first * width : workspace.of_block.xhat;
      normalise(x, rows, plan.widths.dim, width, xhat,
                keep ? buffers.rstd + first : workspace.of_block.rstd);
      x = xhat;
    } else if (keep) {
      std::memcpy(buffers.x + first * width, x,
                  static_cast<std::size_t>(rows * width) * sizeof(float));
    }
    apply_function(plan.spec, plan.widths, own, products(plan, workspace), x, rows,
                   function_rows(buffers, first, width, plan.widths.hidden), workspace.block,
                   workspace.block_size);
  }
}

/// The neighbours' sum and the base into `to`, which may be the state.
void mix(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
         const Workspace& workspace, const float* u, float* to) {
  const float* base = plan.spec.base == BaseState::initial ? workspace.initial : workspace.state;
  if (plan.spec.weight == WeightKind::full)
    mix_by_matrices(plan, step, chunk, workspace, u, base, to);
  else
    mix_by_factors(plan, step, chunk, u, base, to);
}

void run_step(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
              const Workspace& workspace, const StepBuffers& buffers, bool keep) {
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  if (buffers.base != nullptr)
    std::memcpy(buffers.base, workspace.state,
                static_cast<std::size_t>(chunk.rows() * width) * sizeof(float));
  compute_values(plan, own, chunk, workspace, buffers, keep);
  mix(plan, step, chunk, workspace, buffers.u, workspace.state);
  if (plan.spec.norm != NormPosition::post) return;
  for (std::int64_t first = 0; first < chunk.rows(); first += kBlockRows) {
    const std::int64_t rows = HWY_MIN(kBlockRows, chunk.rows() - first);
    float* state = workspace.state + first * width;
    float* xhat = keep ? buffers.xhat + first * width : workspace.of_block.xhat;
    normalise(state, rows, plan.widths.dim, width, xhat,
              keep ? buffers.rstd + first : workspace.of_block.rstd);
    scale_and_shift(xhat, rows, width, own.norm_weight, own.norm_bias, state);
  }
}

void run_steps(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
               StepRange range, bool keep) {
  if (plan.spec.base == BaseState::initial && range.begin == 0 && range.end > 0)
    std::memcpy(workspace.initial, workspace.state,
                static_cast<std::size_t>(chunk.rows() * plan.widths.state) * sizeof(float));
  for (std::size_t t = range.begin; t < range.end; ++t)
    run_step(plan, plan.steps[t], chunk, workspace, workspace.steps[t], keep);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
