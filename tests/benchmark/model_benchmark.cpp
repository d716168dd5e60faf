// The whole classifier by the defaults, at several widths: an evaluation as predict makes it, and
// an update as the trainer makes it.

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "diffuse/bench/flops.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/model_factory.hpp"
#include "limits.hpp"
#include "train/updater.hpp"
#include "workload.hpp"

namespace diffuse {
namespace {

constexpr ModelShape kShape = {.vocab_size = 40'000, .class_count = 4, .mask_id = 1};

Config config_of(benchmark::State& state) {
  at::set_num_threads(kThreads);
  Config config;
  config.train.kernel = state.range(0) != 0 ? Kernel::fused : Kernel::reference;
  config.model.dim = state.range(1);
  return config;
}

double flops_of(const Config& config, std::int64_t texts) {
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(texts), kLength);
  return forward_flops(config, kShape.class_count, lengths).value();
}

/// Arguments: fused, D, texts in the batch.
void evaluation_benchmark(benchmark::State& state) {
  const Limits limits = measured_limits(kThreads);
  const Config config = config_of(state);
  const auto classifier = make_classifier(config, kShape, 1);
  classifier->use_kernel(config.train.kernel, Precision::fp32);
  const TextBatch text(state.range(2), kLength, kShape.vocab_size);
  const Batch batch = text.batch();
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(
        predict_logits(*classifier, batch, {}, Precision::fp32).const_data_ptr());
  state.SetItemsProcessed(state.iterations() * text.tokens());
  report_work(state, {.flops = flops_of(config, text.texts())}, limits);
}
BENCHMARK(evaluation_benchmark)
    ->Name("evaluation")
    ->ArgNames({"fused", "D", "texts"})
    ->ArgsProduct({{1, 0}, {32, 64, 256}, {1, 128}})
    ->Unit(benchmark::kMicrosecond);

/// With dropout, clipping and the average of the weights. Arguments as above.
void update_benchmark(benchmark::State& state) {
  const Limits limits = measured_limits(kThreads);
  const Config config = config_of(state);
  const auto classifier = make_classifier(config, kShape, 1);
  Updater updater(config.train, Precision::fp32, *classifier);
  constexpr std::int64_t kBatches = 8;
  std::vector<Batch> batches;
  for (std::uint64_t i = 0; i < kBatches; ++i)
    batches.push_back(TextBatch(state.range(2), kLength, kShape.vocab_size, i).batch());
  StepClock clock(at::kCPU, 1);
  std::int64_t update = 0;
  for ([[maybe_unused]] auto _ : state) {
    const Batch& batch = batches[static_cast<std::size_t>(update % kBatches)];
    clock.begin_update();
    updater.apply(
        1, batch.size(), [&](std::size_t) { return batch; }, ++update, 1e-6, clock);
    clock.end_update();
  }
  state.SetItemsProcessed(state.iterations() * batches.front().token_count());
  report_work(state, {.flops = 3 * flops_of(config, state.range(2))}, limits);
}
BENCHMARK(update_benchmark)
    ->Name("update")
    ->ArgNames({"fused", "D", "texts"})
    ->ArgsProduct({{1, 0}, {32, 64, 256}, {128}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace diffuse
