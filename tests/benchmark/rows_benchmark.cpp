// What stands beside the steps: the initial state with noise and dropout, the head with its loss,
// the sums of the rows' gradients and the update of the rows, each against its tensor operations.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros_like.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/head.hpp"
#include "diffuse/model/noisy_embedding.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/fused_head.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"
#include "diffuse/ops/row_sums.hpp"
#include "diffuse/train/adamw.hpp"
#include "diffuse/train/loss.hpp"
#include "diffuse/train/row_adamw.hpp"
#include "diffuse/train/weight_average.hpp"
#include "limits.hpp"
#include "workload.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kTexts = 128;
constexpr std::int64_t kDim = 64;

double row_bytes(std::int64_t rows) { return static_cast<double>(rows * kDim) * sizeof(float); }

std::int64_t distinct(const TextBatch& text) {
  return static_cast<std::int64_t>(
      std::set<std::int32_t>(text.rows.tokens().begin(), text.rows.tokens().end()).size());
}

const std::vector<std::int64_t> kVocabularies = {4'000, 40'000, 160'000};

/// Arguments: fused, noise (else dropout).
void initial_state_benchmark(benchmark::State& state) {
  const Limits limits = measured_limits(kThreads);
  at::set_num_threads(kThreads);
  const at::NoGradGuard no_grad;
  constexpr std::int64_t kWords = 40'000;
  ModelConfig config;
  config.steps = 0;
  config.token_dropout = 0;
  config.noise_std = state.range(1) != 0 ? 0.1 : 0.0;
  config.embedding_dropout = state.range(1) != 0 ? 0.0 : 0.2;
  FreshTensors tensors(1);
  const NoisyEmbedding embedding(config, kWords, 0, tensors);
  const TextBatch text(kTexts, kLength, kWords);
  const Batch batch = text.batch();
  WorkerPool pool(kThreads);
  FusedDiffusion fused(diffusion_spec(config), pool);
  fused.set_parameters({}, false);
  at::Tensor output = normal_tensor({kTexts, 2 * kDim});
  const TokenTable table{embedding.weight().const_data_ptr<float>(), text.rows.tokens().data()};
  RandomPlace place;
  for ([[maybe_unused]] auto _ : state) {
    if (state.range(0) != 0) {
      ++place.update;
      fused.forward({.offsets = text.rows.offsets(),
                     .tables = std::span(&table, 1),
                     .random = &place,
                     .dropout = true},
                    output.mutable_data_ptr<float>());
    } else {
      const at::Tensor initial =
          embedding.forward(batch, {.training = true, .generator = tensors.generator()});
      const Segments segments(text.rows.offsets(), at::TensorOptions(at::kFloat));
      benchmark::DoNotOptimize(segment_pool(initial, segments, config.pooling).const_data_ptr());
    }
  }
  state.SetItemsProcessed(state.iterations() * text.tokens());
  report_work(state, {.bytes = row_bytes(text.tokens())}, limits);
}
BENCHMARK(initial_state_benchmark)
    ->Name("initial state and pooling")
    ->ArgNames({"fused", "noise"})
    ->ArgsProduct({{1, 0}, {0, 1}})
    ->Unit(benchmark::kMicrosecond);

/// Forward, loss and backward, in one thread. Arguments: fused, classes.
void head_benchmark(benchmark::State& state) {
  const Limits limits = measured_limits(1);
  at::set_num_threads(1);
  const std::int64_t classes = state.range(1);
  ModelConfig config;
  config.head_dropout = 0;
  FreshTensors tensors(1);
  Head head(config, 2 * kDim, classes, tensors);
  std::vector<at::Tensor> learned;
  head.visit("head", [&](const std::string&, at::Tensor& tensor, ParameterRole) {
    tensor.set_requires_grad(true);
    learned.push_back(tensor);
  });
  const at::Tensor pooled = normal_tensor({kTexts, 2 * kDim}).set_requires_grad(true);
  const Batch batch = TextBatch(kTexts, 1, 100).batch();
  FusedHead fused({.in_dim = 2 * kDim, .hidden_dim = kDim, .classes = classes}, 1);
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& tensor : learned) gradients.push_back(at::zeros_like(tensor));
  const auto pointers = [&](auto access) {
    return HeadPointers<std::remove_pointer_t<decltype(access(0))>>{access(0), access(1), access(2),
                                                                    access(3)};
  };
  fused.set_parameters(pointers([&](std::size_t i) { return learned[i].const_data_ptr<float>(); }));
  const auto to = pointers([&](std::size_t i) { return gradients[i].mutable_data_ptr<float>(); });
  at::Tensor pooled_gradient = at::zeros_like(pooled);
  std::vector<std::int64_t> texts;
  for (std::int64_t i = 0; i < kTexts; ++i) texts.push_back(i);
  for ([[maybe_unused]] auto _ : state) {
    if (state.range(0) != 0) {
      fused.begin({.labels = batch.labels.const_data_ptr<std::int64_t>()}, 1);
      fused.add_gradients(0, 0, texts, pooled.const_data_ptr<float>(),
                          pooled_gradient.mutable_data_ptr<float>());
      benchmark::DoNotOptimize(fused.end(to).loss);
    } else {
      classification_loss(head.forward(pooled, ForwardContext{}), batch.labels, 0.05).backward();
      for (at::Tensor& tensor : learned) tensor.mutable_grad().reset();
      pooled.mutable_grad().reset();
    }
  }
  const auto products = static_cast<double>(2 * kDim * kDim + kDim * classes);
  report_work(state, {.flops = 3 * 2 * static_cast<double>(kTexts) * products}, limits);
}
BENCHMARK(head_benchmark)
    ->Name("head and loss")
    ->ArgNames({"fused", "classes"})
    ->ArgsProduct({{1, 0}, {4, 1000}})
    ->Unit(benchmark::kMicrosecond);

/// Of the gradient of each token the sum for each word, and the sum of squares; in tensor
/// operations the table's dense gradient and its norm. Arguments: fused, words.
void row_sums_benchmark(benchmark::State& state) {
  const Limits limits = measured_limits(kThreads);
  at::set_num_threads(kThreads);
  const TextBatch text(kTexts, kLength, state.range(1));
  const at::Tensor gradient = normal_tensor({text.tokens(), kDim});
  const Batch batch = text.batch();
  const at::Tensor ids = batch.tokens.to(at::kLong);
  WorkerPool pool(kThreads);
  RowSums sums(kDim);
  for ([[maybe_unused]] auto _ : state) {
    if (state.range(0) != 0) {
      sums.clear();
      sums.append(text.rows.tokens());
      benchmark::DoNotOptimize(sums.add_up(pool, gradient.mutable_data_ptr<float>()));
    } else {
      const at::Tensor dense =
          at::embedding_dense_backward(gradient, ids, state.range(1), -1, false);
      benchmark::DoNotOptimize(dense.norm().item<float>());
    }
  }
  report_work(state, {.bytes = row_bytes(text.tokens()) + row_bytes(distinct(text))}, limits);
}
BENCHMARK(row_sums_benchmark)
    ->Name("sums of rows")
    ->ArgNames({"fused", "words"})
    ->ArgsProduct({{1, 0}, kVocabularies})
    ->Unit(benchmark::kMicrosecond);

/// AdamW with an average of the weights: the rows of a batch, or the whole table. Arguments: fused,
/// words.
void row_update_benchmark(benchmark::State& state) {
  const Limits limits = measured_limits(kThreads);
  at::set_num_threads(kThreads);
  constexpr double kDecay = 0.999;
  constexpr std::int64_t kBatches = 8;
  constexpr double kRate = 1e-6;
  const NamedParameter table{"table", normal_tensor({state.range(1), kDim}),
                             ParameterRole::embedding};
  WorkerPool pool(kThreads);
  std::int64_t update = 0;
  double rows = 0;
  if (state.range(0) != 0) {
    std::vector<TextBatch> texts;
    std::vector<RowSums> sums;
    std::vector<at::Tensor> gradients;
    for (std::int64_t i = 0; i < kBatches; ++i) {
      texts.emplace_back(kTexts, kLength, state.range(1), static_cast<std::uint64_t>(i));
      RowSums& own = sums.emplace_back(kDim);
      gradients.push_back(normal_tensor({texts.back().tokens(), kDim}, 1e-3));
      own.append(texts.back().rows.tokens());
      own.add_up(pool, gradients.back().mutable_data_ptr<float>());
      rows += static_cast<double>(own.ids().size()) / kBatches;
    }
    RowAdamW optimizer(table, {}, kDecay);
    for ([[maybe_unused]] auto _ : state) {
      RowSums& own = sums[static_cast<std::size_t>(update % kBatches)];
      optimizer.catch_up(own.ids(), pool);
      optimizer.step({.ids = own.ids(),
                      .positions = own.positions(),
                      .rows = own.rows(),
                      .dim = kDim,
                      .workers = &pool},
                     ++update, kRate, 1.0);
    }
  } else {
    rows = static_cast<double>(distinct(TextBatch(kTexts, kLength, state.range(1))));
    AdamW optimizer({table}, {});
    WeightAverage average({table}, kDecay);
    at::Tensor(table.tensor).mutable_grad() = normal_tensor({state.range(1), kDim}, 1e-3);
    for ([[maybe_unused]] auto _ : state) {
      optimizer.step(kRate);
      average.update(++update);
    }
  }
  // Row, two moments and average are read and written, the gradient is read.
  report_work(state, {.bytes = 9 * rows * kDim * sizeof(float)}, limits);
}
BENCHMARK(row_update_benchmark)
    ->Name("update of rows")
    ->ArgNames({"fused", "words"})
    ->ArgsProduct({{1, 0}, kVocabularies})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace diffuse
