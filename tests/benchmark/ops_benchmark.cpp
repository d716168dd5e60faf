// The diffusion operator, fused and in tensor operations: embedding, all steps and pooling, forward
// alone and with the gradients of every parameter and row.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/zeros_like.h>
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>

#include "diffuse/model/diffusion_stack.hpp"
#include "diffuse/model/model_description.hpp"
#include "diffuse/ops/fused_diffusion.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"
#include "limits.hpp"
#include "workload.hpp"

namespace diffuse {
namespace {

/// What one benchmark runs; the present values are those that most have.
struct Setting {
  std::string kind = "default";
  std::int64_t dim = 64;
  std::int64_t steps = 2;
  std::int64_t texts = 128;
  std::int64_t length = kLength;
  std::int64_t vocabulary = 40'000;
  int threads = kThreads;
};

ModelConfig config_of(const Setting& setting) {
  const auto& all = kinds();
  ModelConfig config = std::find_if(all.begin(), all.end(), [&](const Kind& kind) {
                         return kind.name == setting.kind;
                       })->config;
  config.dim = setting.dim;
  config.steps = setting.steps;
  return config;
}

/// The parameters and one batch, for either kernel.
class Operator {
 public:
  explicit Operator(const Setting& setting)
      : config_(config_of(setting)),
        tensors_(1),
        stack_(config_, tensors_),
        table_(normal_tensor({setting.vocabulary, setting.dim}, 0.5)),
        text_(setting.texts, setting.length, setting.vocabulary),
        ids_(at::from_blob(text_.rows.tokens().data(), {text_.tokens()}, at::kInt)),
        output_gradient_(normal_tensor({text_.texts(), stack_.spec().output_dim()}, 0.01)) {
    stack_.visit("steps", [&](const std::string&, at::Tensor& tensor, ParameterRole) {
      tensor.set_requires_grad(true);
      learned_.push_back(tensor);
    });
  }

  void reference_forward() {
    const at::NoGradGuard no_grad;
    benchmark::DoNotOptimize(pooled(at::index_select(table_, 0, ids_)).const_data_ptr());
  }

  void reference_with_gradients() {
    const at::Tensor initial = at::index_select(table_, 0, ids_).set_requires_grad(true);
    pooled(initial).backward(output_gradient_);
    benchmark::DoNotOptimize(initial.grad().const_data_ptr());
    for (at::Tensor& tensor : learned_) tensor.mutable_grad().reset();
  }

  /// For `threads` threads.
  void prepare_fused(int threads, bool with_gradient) {
    pool_ = std::make_unique<WorkerPool>(threads);
    fused_ = std::make_unique<FusedDiffusion>(stack_.spec(), *pool_);
    std::vector<StepPointers<const float>> values;
    for (const StepTensors& step : stack_.parameters()) {
      values.push_back(pointers<const float>(step, [](const at::Tensor& tensor) {
        return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
      }));
      gradients_.push_back(pointers<float>(step, [&](const at::Tensor& tensor) -> float* {
        if (!tensor.defined()) return nullptr;
        return gradient_tensors_.emplace_back(at::zeros_like(tensor)).mutable_data_ptr<float>();
      }));
    }
    fused_->set_parameters(values, with_gradient);
    output_ = at::zeros_like(output_gradient_);
    if (with_gradient) row_gradient_ = normal_tensor({text_.tokens(), config_.dim});
  }

  void fused_forward() { fused_->forward(input(), output_.mutable_data_ptr<float>()); }

  void fused_with_gradients() {
    const DiffusionInput in = input();
    const std::int64_t width = stack_.spec().output_dim();
    const float* from = output_gradient_.const_data_ptr<float>();
    fused_->forward_backward(
        in,
        [&](const FusedDiffusion::Exchange& exchange) {
          float* to = exchange.gradient;
          for (const std::int64_t text : exchange.texts)
            to = std::copy_n(from + text * width, width, to);
        },
        {row_gradient_.mutable_data_ptr<float>()}, gradients_, fused_->slot_count(in.offsets));
  }

  /// Backward has two products for each of forward's; an embedding is read, its gradient written.
  LeastWork work(bool with_gradient) const {
    Config whole;
    whole.model = config_;
    Config head = whole;
    head.model.steps = 0;
    const std::vector<std::int64_t> lengths(static_cast<std::size_t>(text_.texts()),
                                            static_cast<std::int64_t>(text_.rows.offsets()[1]));
    const double flops =
        forward_flops(whole, 1, lengths).value() - forward_flops(head, 1, lengths).value();
    const auto bytes = static_cast<double>(text_.tokens() * config_.dim) * sizeof(float);
    return {flops * (with_gradient ? 3 : 1), bytes * (with_gradient ? 2 : 1)};
  }

  std::int64_t tokens() const { return text_.tokens(); }

 private:
  template <class Float, class Access>
  static StepPointers<Float> pointers(const StepTensors& step, const Access& access) {
    return {access(step.weight),     access(step.alpha_logit), access(step.norm_weight),
            access(step.norm_bias),  access(step.in_weight),   access(step.in_bias),
            access(step.out_weight), access(step.out_bias)};
  }

  at::Tensor pooled(const at::Tensor& initial) const {
    const Segments segments(text_.rows.offsets(), at::TensorOptions(at::kFloat));
    return segment_pool(stack_.forward(initial, text_.rows.offsets()), segments,
                        stack_.spec().pooling.value());
  }

  DiffusionInput input() {
    tokens_ = {table_.const_data_ptr<float>(), text_.rows.tokens().data()};
    return {.offsets = text_.rows.offsets(), .tables = std::span(&tokens_, 1)};
  }

  ModelConfig config_;
  FreshTensors tensors_;
  DiffusionStack stack_;
  at::Tensor table_;
  TextBatch text_;
  at::Tensor ids_;
  at::Tensor output_gradient_;
  std::vector<at::Tensor> learned_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<FusedDiffusion> fused_;
  TokenTable tokens_{};
  std::vector<at::Tensor> gradient_tensors_;
  std::vector<StepPointers<float>> gradients_;
  at::Tensor output_;
  at::Tensor row_gradient_;
};

void run(benchmark::State& state, const Setting& setting, bool fused, bool with_gradient) {
  const Limits limits = measured_limits(setting.threads);
  at::set_num_threads(setting.threads);
  Operator subject(setting);
  if (fused) subject.prepare_fused(setting.threads, with_gradient);
  for ([[maybe_unused]] auto _ : state) {
    if (fused)
      with_gradient ? subject.fused_with_gradients() : subject.fused_forward();
    else
      with_gradient ? subject.reference_with_gradients() : subject.reference_forward();
  }
  state.SetItemsProcessed(state.iterations() * subject.tokens());
  report_work(state, subject.work(with_gradient), limits);
}

/// Both kernels, forward and with gradients; `table` is what is varied, `row` its value.
void add(const std::string& table, const std::string& row, const Setting& setting) {
  for (const bool with_gradient : {false, true})
    for (const bool fused : {true, false}) {
      const std::string name = fmt::format("diffusion {}/{}/{}/{}", table, row,
                                           with_gradient ? "forward and backward" : "forward",
                                           fused ? "fused" : "reference");
      timed(benchmark::RegisterBenchmark(name.c_str(), run, setting, fused, with_gradient),
            setting.threads)
          ->Unit(benchmark::kMicrosecond);
    }
}

const bool registered = [] {
  for (const std::int64_t dim : {64, 128, 256})
    for (const int threads : {1, 2})
      add("by D", fmt::format("D = {}, {} thread{}", dim, threads, threads == 1 ? "" : "s"),
          {.dim = dim, .threads = threads});
  for (const std::int64_t steps : {1, 2, 3, 4})
    add("by T", fmt::format("T = {}", steps), {.steps = steps});
  for (const std::int64_t length : {45, 128, 512, 4096, 65536})
    add("by length", fmt::format("one text of {} tokens", length), {.texts = 1, .length = length});
  for (const std::int64_t length : {45, 128, 512, 4096, 65536})
    add("by length, 65,536 tokens in all", fmt::format("{} x {} tokens", 65536 / length, length),
        {.texts = 65536 / length, .length = length});
  for (const std::int64_t texts : {1, 32, 128, 512})
    add("by batch", fmt::format("{} text{} of 45", texts, texts == 1 ? "" : "s"), {.texts = texts});
  for (const std::int64_t vocabulary : {4'000, 40'000, 160'000})
    add("by vocabulary", fmt::format("{} words", vocabulary), {.vocabulary = vocabulary});
  for (const Kind& kind : kinds()) add("by kind", kind.name, {.kind = kind.name});
  return true;
}();

}  // namespace
}  // namespace diffuse
