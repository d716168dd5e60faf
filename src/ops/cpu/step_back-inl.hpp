// A step of the operator, on the way back. Vector code, compiled once for each instruction set.
#if defined(DIFFUSE_OPS_CPU_STEP_BACK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DIFFUSE_OPS_CPU_STEP_BACK_INL
#undef DIFFUSE_OPS_CPU_STEP_BACK_INL
#else
#define DIFFUSE_OPS_CPU_STEP_BACK_INL
#endif

#include <cstring>

#include "step-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

void mix_by_matrices_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                          const Workspace& workspace, const float* u, float* slot) {
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  const std::int64_t depth = own.mix.depth;
  std::memset(workspace.values, 0, static_cast<std::size_t>(chunk.rows() * width) * sizeof(float));
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
    scatter_neighbours(chunk, step.shifts, first, first + rows, width, gathered, workspace.values);
  });
}

void mix_by_factors_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                         const Workspace& workspace, const float* u, float* slot) {
  const std::int64_t width = plan.widths.state;
  with_shift_count(step.shifts.size(), [&](auto count) HWY_ATTR {
    for (std::size_t t = 0; t + 1 < chunk.bounds.size(); ++t) {
      const std::int64_t at = chunk.bounds[t] * width;
      const std::int64_t n = chunk.bounds[t + 1] - chunk.bounds[t];
      // Whole texts are all the chunk's own; of a piece there is but one.
      const RowSpan rows = chunk.texts() > 1 ? RowSpan{0, n} : chunk.own;
      mix_text_back<decltype(count)::value>(step.shifts, n, rows, width, u + at,
                                            step.parameters->factor, workspace.gradient + at,
                                            workspace.values + at, slot + step.gradient->mix);
    }
  });
}

/// gradient = alpha ∘ gradient + dx, for rows of the state; where the base is the initial state the
/// first part goes there.
void join_gradients(const DiffusionPlan& plan, const PackedStep& own, std::int64_t rows,
                    const float* dx, float* gradient, float* initial_gradient) {
  const std::int64_t width = plan.widths.state;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const std::int64_t at = i * width + c;
      const Floats through = hn::Mul(load(own.alpha + c), load(gradient + at));
      if (initial_gradient == nullptr) {
        store(hn::Add(through, load(dx + at)), gradient + at);
      } else {
        store(hn::Add(through, load(initial_gradient + at)), initial_gradient + at);
        store(load(dx + at), gradient + at);
      }
    }
  }
}

/// What a block of rows has of a step for the way back.
struct KeptRows {
  const float* x = nullptr;  ///< input of f
  const float* xhat = nullptr;
  const float* rstd = nullptr;
  FunctionRows function;
};

/// gradient of norm's output -> of its input, for rows of norm post; `slot`: null where the
/// parameters get none.
void norm_post_back(const DiffusionPlan& plan, const StepPlan& step, const float* xhat,
                    const float* rstd, std::int64_t rows, float* gradient, float* slot) {
  const std::int64_t width = plan.widths.state;
  scale_and_shift_back(gradient, xhat, rows, width, step.parameters->norm_weight,
                       slot == nullptr ? nullptr : slot + step.gradient->norm_weight,
                       slot == nullptr ? nullptr : slot + step.gradient->norm_bias);
  normalise_back(gradient, xhat, rstd, rows, plan.widths.dim, width);
}

/// The way back from the gradient of alpha ∘ base + the neighbours' sum. `base`: for the gradient
/// of alpha; `kept(first row, rows)` has a block's KeptRows.
template <class Kept>
void mix_and_function_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                           const Workspace& workspace, const float* u, const float* base,
                           const Kept& kept, float* slot) {
  const DiffusionSpec& spec = plan.spec;
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  if (!spec.alpha) {
    const std::int64_t at = chunk.own.begin * width;
    add_column_products(workspace.gradient + at, base + at, chunk.own.end - chunk.own.begin, width,
                        slot + step.gradient->alpha);
  }
  if (spec.weight == WeightKind::full)
    mix_by_matrices_back(plan, step, chunk, workspace, u, slot);
  else
    mix_by_factors_back(plan, step, chunk, workspace, u, slot);
  for_blocks(chunk, kBlockRows, [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
    const std::int64_t at = first * width;
    const KeptRows block = kept(first, rows);
    float* dx = workspace.block + 2 * workspace.block_size;
    function_back(spec, plan.widths, own, *step.gradient, products(plan, workspace), block.x, rows,
                  block.function, workspace.values + at, is_own ? slot : nullptr, dx,
                  workspace.block, workspace.block_size);
    if (spec.norm == NormPosition::pre)
      normalise_back(dx, block.xhat, block.rstd, rows, plan.widths.dim, width);
    join_gradients(plan, own, rows, dx, workspace.gradient + at,
                   spec.base == BaseState::initial ? workspace.spare + at : nullptr);
  });
}

/// After a step whose rows were kept in `buffers`.
void run_step_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                   const Workspace& workspace, const StepBuffers& buffers, float* slot) {
  const DiffusionSpec& spec = plan.spec;
  const std::int64_t width = plan.widths.state;
  if (spec.norm == NormPosition::post)
    for_blocks(chunk, chunk.rows(),
               [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
                 norm_post_back(plan, step, buffers.xhat + first * width, buffers.rstd + first,
                                rows, workspace.gradient + first * width, is_own ? slot : nullptr);
               });
  mix_and_function_back(
      plan, step, chunk, workspace, buffers.u,
      spec.base == BaseState::initial ? workspace.initial : buffers.base,
      [&](std::int64_t first, std::int64_t) {
        KeptRows rows{.function = function_rows(buffers, first, width, plan.widths.hidden)};
        if (spec.norm != NormPosition::none) {
          rows.xhat = buffers.xhat + first * width;
          rows.rstd = buffers.rstd + first;
        }
        rows.x = spec.norm == NormPosition::pre ? rows.xhat : buffers.x + first * width;
        return rows;
      },
      slot);
}

/// After a step of which nothing was kept but the state before it, which is the state again: u is
/// computed for all rows once more, and what else f has a block of rows at a time.
void repeat_step_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                      const Workspace& workspace, float* slot) {
  const DiffusionSpec& spec = plan.spec;
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  const StepBuffers& block = workspace.of_block;
  float* u = workspace.steps.front().u;
  compute_values(plan, own, chunk, workspace, workspace.steps.front(), false);
  if (spec.norm == NormPosition::post) {
    mix(plan, step, chunk, workspace, u, workspace.values);
    for_blocks(chunk, kBlockRows, [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
      normalise(workspace.values + first * width, rows, plan.widths.dim, width, block.xhat,
                block.rstd);
      norm_post_back(plan, step, block.xhat, block.rstd, rows, workspace.gradient + first * width,
                     is_own ? slot : nullptr);
    });
  }
  mix_and_function_back(
      plan, step, chunk, workspace, u,
      spec.base == BaseState::initial ? workspace.initial : workspace.state,
      [&](std::int64_t first, std::int64_t rows) HWY_ATTR {
        KeptRows kept{.x = workspace.state + first * width,
                      .xhat = block.xhat,
                      .rstd = block.rstd,
                      .function = function_rows(block, 0, width, plan.widths.hidden)};
        if (spec.norm == NormPosition::pre) {
          normalise(kept.x, rows, plan.widths.dim, width, block.xhat, block.rstd);
          kept.x = block.xhat;
        }
        apply_function(spec, plan.widths, own, products(plan, workspace), kept.x, rows,
                       kept.function, workspace.block, workspace.block_size);
        return kept;
      },
      slot);
}

void begin_way_back(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace) {
  if (plan.spec.base != BaseState::initial || plan.steps.empty()) return;
  const std::int64_t count = chunk.rows() * plan.widths.state;
  std::memset(workspace.spare, 0, static_cast<std::size_t>(count) * sizeof(float));
}

void end_way_back(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace) {
  if (plan.spec.base != BaseState::initial || plan.steps.empty()) return;
  add_into(workspace.gradient, workspace.spare, chunk.rows() * plan.widths.state);
}

void step_back(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
               std::size_t t, bool kept, float* slot) {
  if (t + 1 == plan.steps.size()) begin_way_back(plan, chunk, workspace);
  if (kept)
    run_step_back(plan, plan.steps[t], chunk, workspace, workspace.steps[t], slot);
  else
    repeat_step_back(plan, plan.steps[t], chunk, workspace, slot);
  if (t == 0) end_way_back(plan, chunk, workspace);
}

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
