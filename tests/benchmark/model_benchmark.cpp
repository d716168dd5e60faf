// The whole classifier by the defaults, at several widths: evaluation, and an update's forward and
// backward pass. Texts of 40 tokens, as AG News has.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "diffuse/model/classifier.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/loss.hpp"

namespace diffuse {
namespace {

constexpr ModelShape kShape = {.vocab_size = 30'000, .class_count = 4, .mask_id = 1};

Batch batch_of(std::int64_t texts, std::int64_t length) {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  std::vector<std::int64_t> labels;
  std::uint32_t random = 1;
  for (std::int64_t text = 0; text < texts; ++text) {
    for (std::int64_t i = 0; i < length; ++i) {
      random = random * 1664525U + 1013904223U;
      tokens.push_back(static_cast<std::int32_t>((random >> 8) % kShape.vocab_size));
    }
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
    labels.push_back(text % kShape.class_count);
  }
  return make_batch(PackedRows(tokens, offsets, labels), at::kCPU);
}

/// Arguments: D, texts in the batch.
void evaluation_benchmark(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  Config config;
  config.model.dim = state.range(0);
  const auto classifier = make_classifier(config, kShape, 1);
  const Batch batch = batch_of(state.range(1), 40);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(classifier->forward(batch, {}).const_data_ptr());
  state.SetItemsProcessed(state.iterations() * batch.token_count());
}
BENCHMARK(evaluation_benchmark)
    ->ArgNames({"dim", "texts"})
    ->ArgsProduct({{32, 64, 256}, {1, 128}})
    ->Unit(benchmark::kMicrosecond);

void training_benchmark(benchmark::State& state) {
  Config config;
  config.model.dim = state.range(0);
  const auto classifier = make_classifier(config, kShape, 1);
  const Batch batch = batch_of(state.range(1), 40);
  const ForwardContext context = {.training = true, .generator = at::detail::createCPUGenerator(1)};
  for ([[maybe_unused]] auto _ : state) {
    classification_loss(classifier->forward(batch, context), batch.labels, 0.05).backward();
    for (const NamedParameter& parameter : classifier->parameters())
      parameter.tensor.mutable_grad().reset();
  }
  state.SetItemsProcessed(state.iterations() * batch.token_count());
}
BENCHMARK(training_benchmark)
    ->ArgNames({"dim", "texts"})
    ->ArgsProduct({{32, 64, 256}, {128}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace diffuse
