// The operator's parts on a packed batch of 128 texts of 40 tokens, forward and with the gradient.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "diffuse/ops/reference/diffusion_step.hpp"
#include "diffuse/ops/reference/neighbour_sum.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kTexts = 128;
constexpr std::int64_t kLength = 40;
constexpr std::int64_t kTokens = kTexts * kLength;

std::vector<std::int32_t> offsets() {
  std::vector<std::int32_t> result;
  for (std::int64_t b = 0; b <= kTexts; ++b)
    result.push_back(static_cast<std::int32_t>(b * kLength));
  return result;
}

at::Tensor random(at::IntArrayRef shape) {
  return at::randn(shape, at::detail::createCPUGenerator(1), at::TensorOptions(at::kFloat));
}

/// Arguments: dimensions of W behind the shift (0 scalar, 1 channel, 2 full), D, with gradient.
void neighbour_sum_benchmark(benchmark::State& state) {
  const std::int64_t dim = state.range(1);
  const bool gradient = state.range(2) != 0;
  const std::vector<std::int64_t> shifts = neighbourhood_shifts(1, 1, true);
  const NeighbourMasks masks(offsets(), shifts, at::kCPU);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(1 + state.range(0)), dim);
  shape.front() = static_cast<std::int64_t>(shifts.size());
  const at::Tensor values = random({kTokens, dim}).requires_grad_(gradient);
  const at::Tensor weight = random(shape).requires_grad_(gradient);
  for ([[maybe_unused]] auto _ : state) {
    const at::Tensor sum = neighbour_sum(values, weight, shifts, masks);
    if (gradient) sum.sum().backward();
    benchmark::DoNotOptimize(sum.const_data_ptr());
  }
  state.SetItemsProcessed(state.iterations() * kTokens);
}
BENCHMARK(neighbour_sum_benchmark)
    ->ArgNames({"form", "dim", "gradient"})
    ->ArgsProduct({{0, 1, 2}, {64, 256}, {0, 1}});

void segment_pool_benchmark(benchmark::State& state) {
  const auto pooling = static_cast<Pooling>(state.range(0));
  const bool gradient = state.range(1) != 0;
  const Segments segments(offsets(), at::TensorOptions(at::kFloat));
  const at::Tensor rows = random({kTokens, 64}).requires_grad_(gradient);
  for ([[maybe_unused]] auto _ : state) {
    const at::Tensor pooled = segment_pool(rows, segments, pooling);
    if (gradient) pooled.sum().backward();
    benchmark::DoNotOptimize(pooled.const_data_ptr());
  }
  state.SetItemsProcessed(state.iterations() * kTokens);
}
BENCHMARK(segment_pool_benchmark)
    ->ArgNames({"pooling", "gradient"})
    ->ArgsProduct({{static_cast<int>(Pooling::mean), static_cast<int>(Pooling::max),
                    static_cast<int>(Pooling::mean_max)},
                   {0, 1}});

}  // namespace
}  // namespace diffuse
