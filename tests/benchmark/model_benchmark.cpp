// The whole classifier by the defaults, at several widths: an evaluation as predict makes it, and
// an update as the trainer makes it.

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <string>
#include <vector>

#include "diffuse/config/load.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/model/model_factory.hpp"
#include "launch_count.hpp"
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

/// With noise, dropout, clipping and the average of the weights.
void update_benchmark(benchmark::State& state, const Config& config, std::int64_t texts,
                      std::int64_t length) {
  const Limits limits = measured_limits(kThreads);
  at::set_num_threads(kThreads);
  const auto classifier = make_classifier(config, kShape, 1);
  Updater updater(config.train, Precision::fp32, *classifier);
  constexpr std::uint64_t kBatches = 8;
  std::vector<Batch> batches;
  for (std::uint64_t i = 0; i < kBatches; ++i)
    batches.push_back(TextBatch(texts, length, kShape.vocab_size, i).batch());
  StepClock clock(at::kCPU, 1);
  std::int64_t update = 0;
  for ([[maybe_unused]] auto _ : state) {
    const Batch& batch = batches[static_cast<std::size_t>(update) % kBatches];
    clock.begin_update();
    updater.apply(
        1, batch.size(), [&](std::size_t) { return batch; }, ++update, 1e-6, clock);
    clock.end_update();
  }
  state.counters["launches"] = static_cast<double>(count_launches([&] {
    updater.apply(
        1, texts, [&](std::size_t) { return batches.front(); }, ++update, 1e-6, clock);
  }));
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(texts), length);
  state.SetItemsProcessed(state.iterations() * texts * length);
  report_work(state, {.flops = 3 * forward_flops(config, kShape.class_count, lengths).value()},
              limits);
}

const bool registered_updates = [] {
  const auto add = [](const std::string& row, Config config, std::int64_t texts,
                      std::int64_t length) {
    for (const Kernel kernel : {Kernel::fused, Kernel::operations, Kernel::reference}) {
      if (kernel != Kernel::reference && config.model.type != ModelType::diffusion) continue;
      config.train.kernel = kernel;
      benchmark::RegisterBenchmark(
          fmt::format("update/{}, {} x {} tokens/{}", row, texts, length, enum_name(kernel))
              .c_str(),
          update_benchmark, config, texts, length)
          ->Unit(benchmark::kMicrosecond);
    }
  };
  for (const std::int64_t dim : {32, 64, 256}) {
    Config config;
    config.model.dim = dim;
    add(fmt::format("D = {}", dim), config, 128, kLength);
  }
  // As diffuse bench has them.
  for (const std::string name :
       {"agnews-diffusion", "r8", "trec", "imdb", "paper", "paper-notebook", "distilbert-agnews"})
    add(name + ".json",
        load_config(std::string(DIFFUSE_SOURCE_DIR) + "/configs/" + name + ".json", {}), 32, 64);
  return true;
}();

}  // namespace
}  // namespace diffuse
