// A step of the operator, on the way back. Vector code, compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_STEP_BACK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_STEP_BACK_INL
#undef DIFFUSE_OPS_CPU_STEP_BACK_INL
#else
#define DIFFUSE_OPS_CPU_STEP_BACK_INL
#endif

#include <cstring>
#include <utility>

#include "step-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

/// The gradient of f's values by matrices, of all rows, into `next_gradient`; the matrices' is
/// added to `slot`.
void mix_by_matrices_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                          const Workspace& workspace, const float* u, float* slot) {
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  const std::int64_t depth = own.mix.depth;
  std::memset(workspace.next_gradient, 0,
              static_cast<std::size_t>(chunk.rows() * width) * sizeof(float));
  const bool learned = plan.spec.weight_learned || !plan.spec.alpha;
  const Products by = products(plan, workspace);
  for_blocks(chunk, kBlockRows, [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
    const float* d = workspace.gradient + first * width;
    float* gathered = workspace.block;
    if (learned && is_own) {
      gather_neighbours(chunk, step.shifts, first, first + rows, width, u, gathered);
      add_outer(by, d, width, width, gathered, depth, depth, rows, slot + step.gradient->mix,
                depth);
    }
    multiply<Start::zero>(by, d, width, rows, own.mix_back, nullptr, gathered, depth);
    scatter_neighbours(chunk, step.shifts, first, first + rows, width, gathered,
                       workspace.next_gradient);
  });
}

/// The same by factors, of the block of rows from `first` on, whose values are `u`; the factors'
/// gradient is added to `slot` unless that is null.
void mix_by_factors_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                         const Workspace& workspace, RowSpan block, const float* u, float* slot) {
  const std::int64_t width = plan.widths.state;
  float* to = slot == nullptr ? nullptr : slot + step.gradient->mix;
  with_shift_count(step.shifts.size(), [&](auto count) HWY_ATTR {
    for_texts(chunk, block, [&](RowSpan text, RowSpan part) HWY_ATTR {
      mix_rows_back<decltype(count)::value>(
          step.shifts, text.end - text.begin, {part.begin - text.begin, part.end - text.begin},
          width, u + (part.begin - block.begin) * width, step.parameters->factor,
          workspace.gradient + text.begin * width, workspace.next_gradient + part.begin * width,
          to);
    });
  });
}

/// next = alpha ∘ gradient + dx, for rows of the state; where the base is the initial state the
/// first part goes there.
void join_gradients(const PackedStep& own, std::int64_t rows, std::int64_t width, const float* dx,
                    const float* gradient, float* next, float* initial_gradient) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const std::int64_t at = i * width + c;
      const Floats through = hn::Mul(load(own.alpha + c), load(gradient + at));
      if (initial_gradient == nullptr) {
        store(hn::Add(through, load(dx + at)), next + at);
      } else {
        store(hn::Add(through, load(initial_gradient + at)), initial_gradient + at);
        store(load(dx + at), next + at);
      }
    }
  }
}

/// gradient of norm's output -> of its input, for the blocks of a step with norm post; where
/// nothing was kept, what stood before the norm is computed from u once more.
void norm_post_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                    const Workspace& workspace, const StepBuffers* kept, const float* base,
                    const float* u, float* slot) {
  const std::int64_t width = plan.widths.state;
  const std::int64_t dim = plan.widths.dim;
  const BlockBuffers& block = workspace.of_block;
  if (kept == nullptr) mix(plan, step, chunk, workspace, u, base, workspace.next_gradient);
  for_blocks(chunk, kBlockRows, [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
    float* gradient = workspace.gradient + first * width;
    if (kept == nullptr)
      normalise(workspace.next_gradient + first * width, rows, dim, width, block.xhat, block.mean,
                block.rstd);
    const float* xhat = kept == nullptr ? block.xhat : kept->xhat + first * width;
    scale_and_shift_back(gradient, xhat, rows, width, step.parameters->norm_weight,
                         is_own ? slot + step.gradient->norm_weight : nullptr,
                         is_own ? slot + step.gradient->norm_bias : nullptr);
    normalise_back(gradient, xhat, kept == nullptr ? block.rstd : kept->rstd + first, rows, dim,
                   width);
  });
}

/// What f made of a block of rows, again: from what was kept of it, or from the state.
FunctionRows read_function(const DiffusionPlan& plan, const PackedStep& own,
                           const Workspace& workspace, const StepBuffers* kept, const float* state,
                           RowSpan at) {
  const std::int64_t width = plan.widths.state;
  const std::int64_t rows = at.end - at.begin;
  const BlockBuffers& block = workspace.of_block;
  FunctionRows of{.x = state + at.begin * width, .value = block.value, .slope = block.slope};
  const bool has_slope = kept != nullptr && kept->slope != nullptr;
  if (plan.spec.norm == NormPosition::pre) {
    if (kept != nullptr)
      normalise_by(of.x, kept->mean + at.begin, kept->rstd + at.begin, rows, plan.widths.dim, width,
                   block.xhat);
    else
      normalise(of.x, rows, plan.widths.dim, width, block.xhat, block.mean, block.rstd);
    of.x = block.xhat;
  }
  if (kept != nullptr && kept->first != nullptr) {
    of.first = kept->first + at.begin * plan.widths.in;
  } else if (!has_slope) {
    multiply<Start::bias>(products(plan, workspace), of.x, width, rows, own.in, own.in_bias,
                          block.first, plan.widths.in);
    of.first = block.first;
  }
  if (has_slope) {
    of.value = kept->value + at.begin * plan.widths.active;
    of.slope = kept->slope + at.begin * plan.widths.active;
  } else {
    activate_first(plan.spec, plan.widths, of.first, rows, block.value, block.slope);
  }
  return of;
}

/// f's values of the block that read_function gave: those of all rows where there are such.
const float* values_of(const DiffusionPlan& plan, const PackedStep& own, const Workspace& workspace,
                       const FunctionRows& of, RowSpan at, const float* all) {
  if (all != nullptr) return all + at.begin * plan.widths.state;
  if (plan.spec.function == FunctionKind::linear) return of.value;
  apply_second(plan.spec, plan.widths, own, products(plan, workspace), of.first, of.value,
               at.end - at.begin, workspace.of_block.u, workspace.block);
  return workspace.of_block.u;
}

/// The gradient of the state after a step becomes that of the state before it, in `next_gradient`.
/// `kept`: null where the state before the step is `workspace.state` and nothing else is there.
void run_step_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                   const Workspace& workspace, const StepBuffers* kept, float* slot) {
  const DiffusionSpec& spec = plan.spec;
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  const BlockBuffers& block = workspace.of_block;
  const float* state = kept != nullptr ? kept->state : workspace.state;
  const float* base = spec.base == BaseState::initial ? workspace.initial : state;
  const bool by_matrices = spec.weight == WeightKind::full;
  const float* u = kept != nullptr ? kept->u : nullptr;
  if (kept == nullptr && (by_matrices || spec.norm == NormPosition::post)) {
    compute_values(plan, own, chunk, workspace, state, nullptr, workspace.u);
    u = workspace.u;
  }
  if (spec.norm == NormPosition::post)
    norm_post_back(plan, step, chunk, workspace, kept, base, u, slot);
  if (by_matrices) mix_by_matrices_back(plan, step, chunk, workspace, u, slot);
  for_blocks(chunk, kBlockRows, [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
    const std::int64_t at = first * width;
    const RowSpan span{first, first + rows};
    float* to = is_own ? slot : nullptr;
    const FunctionRows of = read_function(plan, own, workspace, kept, state, span);
    if (is_own && !spec.alpha)
      add_column_products(workspace.gradient + at, base + at, rows, width,
                          slot + step.gradient->alpha);
    if (!by_matrices)
      mix_by_factors_back(plan, step, chunk, workspace, span,
                          values_of(plan, own, workspace, of, span, u), to);
    float* dx = workspace.block + 2 * workspace.block_size;
    function_back(spec, plan.widths, own, *step.gradient, products(plan, workspace), rows, of,
                  workspace.next_gradient + at, to, dx, workspace.block, workspace.block_size);
    if (spec.norm == NormPosition::pre)
      normalise_back(dx, block.xhat, kept != nullptr ? kept->rstd + first : block.rstd, rows,
                     plan.widths.dim, width);
    join_gradients(own, rows, width, dx, workspace.gradient + at, workspace.next_gradient + at,
                   spec.base == BaseState::initial ? workspace.initial_gradient + at : nullptr);
  });
}

void step_back(const DiffusionPlan& plan, const Chunk& chunk, Workspace& workspace, std::size_t t,
               float* slot) {
  const TileScope tiles(plan.arithmetic);
  const std::int64_t count = chunk.rows() * plan.widths.state;
  float* of_initial = workspace.initial_gradient;
  if (of_initial != nullptr && t + 1 == plan.steps.size())
    std::memset(of_initial, 0, static_cast<std::size_t>(count) * sizeof(float));
  run_step_back(plan, plan.steps[t], chunk, workspace,
                workspace.steps.empty() ? nullptr : &workspace.steps[t], slot);
  std::swap(workspace.gradient, workspace.next_gradient);
  if (of_initial != nullptr && t == 0) add_into(workspace.gradient, of_initial, count);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
