#include "kernels.hpp"

#include <fmt/core.h>

#include <cstring>
#include <vector>

#include "diffuse/base/error.hpp"

// Scalable registers have no size at compile time, which arrays of them need; the others would add
// nothing to SSSE3 (which CMakeLists.txt asks the compiler for), AVX2 and AVX-512 here.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SCALAR | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/kernels.cpp"  // this file, once for each instruction set
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "function-inl.hpp"
#include "head-inl.hpp"
#include "mix-inl.hpp"
#include "pool-inl.hpp"
#include "random-inl.hpp"
#include "table-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace diffuse::cpu::HWY_NAMESPACE {

void add_noise(const DiffusionPlan& plan, const RandomPlace& place, RowRange rows, float* state,
               float* scratch) {
  const std::int64_t width = plan.widths.state;
  random_normals(place, rows.first, rows.count, width, scratch);
  const Floats scale = broadcast(static_cast<float>(plan.spec.noise_std));
  for (std::int64_t c = 0; c < rows.count * width; c += kLanes)
    store(hn::MulAdd(scale, load(scratch + c), load(state + c)), state + c);
  clear_padding(state, rows.count, plan.widths.dim, width);
}

void draw_halves(const RandomPlace& place, RandomStream stream, RowRange rows, std::int64_t width,
                 std::uint16_t* bits) {
  random_halves(place, stream, rows.first, rows.count, width, bits);
}

void apply_dropout(const DiffusionPlan& plan, const std::uint16_t* bits, std::int64_t rows,
                   float* values) {
  const double probability = plan.spec.embedding_dropout;
  drop(values, bits, rows * plan.widths.state, keep_threshold(probability),
       static_cast<float>(1.0 / (1.0 - probability)));
}

Products products(const DiffusionPlan& plan, const Workspace& workspace) {
  return {plan.arithmetic, workspace.cells};
}

/// Neighbours by matrices: their rows side by side and one product.
void mix_by_matrices(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                     const Workspace& workspace, const float* u, const float* base) {
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
              workspace.state + (first + i) * width + c);
  }
}

void mix_by_factors(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                    const Workspace& workspace, const float* u, const float* base) {
  const std::int64_t width = plan.widths.state;
  with_shift_count(step.shifts.size(), [&](auto count) HWY_ATTR {
    for (std::size_t t = 0; t + 1 < chunk.bounds.size(); ++t) {
      const std::int64_t at = chunk.bounds[t] * width;
      mix_text<decltype(count)::value>(step.shifts, chunk.bounds[t + 1] - chunk.bounds[t], width,
                                       u + at, step.parameters->factor, step.parameters->alpha,
                                       base + at, workspace.state + at);
    }
  });
}

void run_step(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
              const Workspace& workspace, const StepBuffers& buffers, bool keep) {
  const DiffusionSpec& spec = plan.spec;
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  const auto bytes = [width](std::int64_t rows) {
    return static_cast<std::size_t>(rows * width) * sizeof(float);
  };
  if (buffers.base != nullptr) std::memcpy(buffers.base, workspace.state, bytes(chunk.rows()));
  for (std::int64_t first = 0; first < chunk.rows(); first += kBlockRows) {
    const std::int64_t rows = HWY_MIN(kBlockRows, chunk.rows() - first);
    const float* x = workspace.state + first * width;
    if (spec.norm == NormPosition::pre) {
      float* xhat = buffers.xhat + first * width;
      normalise(x, rows, plan.widths.dim, width, xhat, buffers.rstd + first);
      x = xhat;
    } else if (keep) {
      std::memcpy(buffers.x + first * width, x, bytes(rows));
    }
    apply_function(spec, plan.widths, own, products(plan, workspace), x, rows,
                   function_rows(buffers, first, width, plan.widths.hidden), workspace.block,
                   workspace.block_size);
  }
  const float* base = spec.base == BaseState::initial ? workspace.initial : workspace.state;
  if (spec.weight == WeightKind::full)
    mix_by_matrices(plan, step, chunk, workspace, buffers.u, base);
  else
    mix_by_factors(plan, step, chunk, workspace, buffers.u, base);
  if (spec.norm == NormPosition::post) {
    normalise(workspace.state, chunk.rows(), plan.widths.dim, width, buffers.xhat, buffers.rstd);
    scale_and_shift(buffers.xhat, chunk.rows(), width, own.norm_weight, own.norm_bias,
                    workspace.state);
  }
}

void run_steps(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
               bool keep) {
  if (plan.spec.base == BaseState::initial && !plan.steps.empty())
    std::memcpy(workspace.initial, workspace.state,
                static_cast<std::size_t>(chunk.rows() * plan.widths.state) * sizeof(float));
  for (std::size_t t = 0; t < plan.steps.size(); ++t)
    run_step(plan, plan.steps[t], chunk, workspace, workspace.steps[t], keep);
}

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

void run_step_back(const DiffusionPlan& plan, const StepPlan& step, const Chunk& chunk,
                   const Workspace& workspace, const StepBuffers& buffers, float* slot) {
  const DiffusionSpec& spec = plan.spec;
  const std::int64_t width = plan.widths.state;
  const PackedStep& own = *step.parameters;
  const GradientOffsets& offsets = *step.gradient;
  const auto norm_back = [&](float* d, std::int64_t first, std::int64_t rows) HWY_ATTR {
    normalise_back(d, buffers.xhat + first * width, buffers.rstd + first, rows, plan.widths.dim,
                   width);
  };
  if (spec.norm == NormPosition::post)
    for_blocks(chunk, chunk.rows(),
               [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
                 float* d = workspace.gradient + first * width;
                 scale_and_shift_back(d, buffers.xhat + first * width, rows, width, own.norm_weight,
                                      is_own ? slot + offsets.norm_weight : nullptr,
                                      is_own ? slot + offsets.norm_bias : nullptr);
                 norm_back(d, first, rows);
               });
  if (!spec.alpha) {
    const float* base = spec.base == BaseState::initial ? workspace.initial : buffers.base;
    const std::int64_t at = chunk.own.begin * width;
    add_column_products(workspace.gradient + at, base + at, chunk.own.end - chunk.own.begin, width,
                        slot + offsets.alpha);
  }
  if (spec.weight == WeightKind::full)
    mix_by_matrices_back(plan, step, chunk, workspace, buffers.u, slot);
  else
    mix_by_factors_back(plan, step, chunk, workspace, buffers.u, slot);
  for_blocks(chunk, kBlockRows, [&](std::int64_t first, std::int64_t rows, bool is_own) HWY_ATTR {
    const std::int64_t at = first * width;
    const float* x = (spec.norm == NormPosition::pre ? buffers.xhat : buffers.x) + at;
    float* dx = workspace.block + 2 * workspace.block_size;
    function_back(spec, plan.widths, own, offsets, products(plan, workspace), x, rows,
                  function_rows(buffers, first, width, plan.widths.hidden), workspace.values + at,
                  is_own ? slot : nullptr, dx, workspace.block, workspace.block_size);
    if (spec.norm == NormPosition::pre) norm_back(dx, first, rows);
    join_gradients(plan, own, rows, dx, workspace.gradient + at,
                   spec.base == BaseState::initial ? workspace.spare + at : nullptr);
  });
}

void run_steps_back(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
                    float* slot) {
  const std::int64_t count = chunk.rows() * plan.widths.state;
  const bool initial = plan.spec.base == BaseState::initial && !plan.steps.empty();
  if (initial) std::memset(workspace.spare, 0, static_cast<std::size_t>(count) * sizeof(float));
  for (std::size_t t = plan.steps.size(); t-- > 0;)
    run_step_back(plan, plan.steps[t], chunk, workspace, workspace.steps[t], slot);
  if (initial) add_into(workspace.gradient, workspace.spare, count);
}

void pool(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
          float* pooled) {
  const std::int64_t width = plan.widths.state;
  for (std::size_t t = 0; t + 1 < chunk.bounds.size(); ++t) {
    const float* rows = workspace.state + chunk.bounds[t] * width;
    const std::int64_t n = chunk.bounds[t + 1] - chunk.bounds[t];
    if (*plan.spec.pooling != Pooling::max) {
      pool_mean(rows, n, width, pooled);
      pooled += width;
    }
    if (*plan.spec.pooling != Pooling::mean) {
      pool_max(rows, n, width, pooled);
      pooled += width;
    }
  }
}

void unpool(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
            const float* pooled, const float* d, const WholeText* whole) {
  const std::int64_t width = plan.widths.state;
  for (std::size_t t = 0; t + 1 < chunk.bounds.size(); ++t) {
    const float* state = workspace.state + chunk.bounds[t] * width;
    float* rows = workspace.gradient + chunk.bounds[t] * width;
    const std::int64_t n = chunk.bounds[t + 1] - chunk.bounds[t];
    if (*plan.spec.pooling != Pooling::max) {
      unpool_mean(d, whole == nullptr ? n : whole->rows, n, width, rows);
      d += width;
      pooled += width;
    } else {
      std::memset(rows, 0, static_cast<std::size_t>(n * width) * sizeof(float));
    }
    if (*plan.spec.pooling != Pooling::mean) {
      add_unpooled_max(d, pooled, whole == nullptr ? nullptr : whole->ties, state, n, width, rows);
      d += width;
      pooled += width;
    }
  }
}

void count_ties(const DiffusionPlan& plan, const Chunk& chunk, const Workspace& workspace,
                const float* most, float* ties) {
  const std::int64_t width = plan.widths.state;
  const float* rows = workspace.state + chunk.bounds.front() * width;
  for (std::int64_t c = 0; c < width; c += kLanes)
    store(count_equal(rows, chunk.bounds.back() - chunk.bounds.front(), width, c, load(most + c)),
          ties + c);
}

void add(float* to, const float* from, std::int64_t count) { add_to_row(to, from, count); }

double square_sum(const float* from, std::int64_t count) { return row_square_sum(from, count); }

void update_row(const RowUpdate& rule, const RowAbsence& absence, const float* gradient,
                std::int64_t count, const RowState& row) {
  update_row_values(rule, absence, gradient, count, row);
}

void follow_tail(const RowTail& tail, std::int64_t count, const RowState& row, float* to) {
  follow_row_tail(tail, count, row, to);
}

Arithmetic bf16_arithmetic() {
#if HWY_TARGET == HWY_AVX3
  if (__builtin_cpu_supports("avx512bf16")) return Arithmetic::native_pairs;
#endif
  return Arithmetic::pairs;
}

void pair_panel(float* panel, std::int64_t depth) { pair_panel_rows(panel, depth); }

extern const Kernels kKernels;
const Kernels kKernels = {
    // AVX3 is Highway's name for AVX-512.
    HWY_TARGET == HWY_AVX3 ? "AVX-512" : hwy::TargetName(HWY_TARGET),
    bf16_arithmetic,
    pair_panel,
    add_noise,
    draw_halves,
    apply_dropout,
    run_steps,
    run_steps_back,
    pool,
    unpool,
    count_ties,
    head_forward,
    head_backward,
    add,
    square_sum,
    update_row,
    follow_tail};

}  // namespace diffuse::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace diffuse::cpu {

std::span<const Kernels* const> available_kernels() {
  // Highway's own choice is in a library that Debian has only as a shared one.
  static const std::vector<const Kernels*> available = [] {
    std::vector<const Kernels*> found;
#if HWY_ARCH_X86
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      found.push_back(&N_AVX3::kKernels);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
      found.push_back(&N_AVX2::kKernels);
#endif
    // In this last pass the namespace is that of the lowest set.
    found.push_back(&HWY_NAMESPACE::kKernels);
    return found;
  }();
  return available;
}

const Kernels& kernels_of(std::string_view instructions) {
  for (const Kernels* kernels : available_kernels())
    if (instructions.empty() || kernels->name == instructions) return *kernels;
  throw Error(fmt::format("This processor has no {} instructions.", instructions));
}

}  // namespace diffuse::cpu

#endif
