#include "kernels.hpp"

#include <fmt/core.h>

#include <cstring>
#include <vector>

#include "diffuse/base/error.hpp"
#include "tile_permission.hpp"

// Scalable registers have no size at compile time, which arrays of them need; the others would add
// nothing to SSSE3 (which CMakeLists.txt asks the compiler for), AVX2 and AVX-512 here.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SCALAR | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/kernels.cpp"  // this file, once for each instruction set
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "head-inl.hpp"
#include "pool-inl.hpp"
#include "random-inl.hpp"
#include "step_back-inl.hpp"
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
    step_back,
    pool,
    unpool,
    count_ties,
    head_forward,
    head_backward,
    add,
    square_sum,
    update_row,
    follow_tail};

#if HWY_TARGET == HWY_AVX3
extern const Kernels kTileKernels;
const Kernels kTileKernels = [] {
  Kernels kernels = kKernels;
  kernels.name = "AMX";
  kernels.bf16_arithmetic = [] { return Arithmetic::tiles; };
  return kernels;
}();
#endif

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
        __builtin_cpu_supports("avx512vl")) {
      if (may_use_tiles()) found.push_back(&N_AVX3::kTileKernels);
      found.push_back(&N_AVX3::kKernels);
    }
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
