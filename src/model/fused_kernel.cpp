#include "fused_kernel.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

HeadSpec head_spec(const DiffusionStack& stack, const Head& head) {
  return {.in_dim = stack.spec().output_dim(),
          .hidden_dim = head.in() == nullptr ? 0 : head.in()->weight.size(0),
          .classes = head.out().weight.size(0),
          .dropout = head.dropout_probability()};
}

const float* values(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

/// The gradient's memory; zeros where there was none. Null for what is not learned.
float* gradient(const at::Tensor& parameter) {
  if (!parameter.defined() || !parameter.requires_grad()) return nullptr;
  at::Tensor& grad = const_cast<at::Tensor&>(parameter).mutable_grad();
  if (!grad.defined()) grad = at::zeros_like(parameter);
  return grad.mutable_data_ptr<float>();
}

template <class Float, class Access>
StepPointers<Float> step_pointers(const StepTensors& step, const Access& access) {
  return {access(step.weight),     access(step.alpha_logit), access(step.norm_weight),
          access(step.norm_bias),  access(step.in_weight),   access(step.in_bias),
          access(step.out_weight), access(step.out_bias)};
}

template <class Float, class Access>
HeadPointers<Float> head_pointers(const Head& head, const Access& access) {
  const at::Tensor none;
  return {access(head.in() == nullptr ? none : head.in()->weight),
          access(head.in() == nullptr ? none : head.in()->bias), access(head.out().weight),
          access(head.out().bias)};
}

}  // namespace

FusedKernel::FusedKernel(const NoisyEmbedding& embedding, const DiffusionStack& stack,
                         const Head& head, Precision precision)
    : embedding_(embedding),
      stack_(stack),
      head_(head),
      pool_(at::get_num_threads()),
      diffusion_(stack.spec(), pool_, {.bf16 = precision == Precision::bf16}),
      fused_head_(head_spec(stack, head), pool_.threads()),
      sums_(stack.spec().dim) {}

void FusedKernel::read_parameters(bool with_gradient) {
  std::vector<std::int64_t> versions;
  const auto note = [&](const at::Tensor& tensor) {
    if (tensor.defined()) versions.push_back(static_cast<std::int64_t>(tensor._version()));
    return values(tensor);
  };
  std::vector<StepPointers<const float>> steps;
  for (const StepTensors& step : stack_.parameters())
    steps.push_back(step_pointers<const float>(step, note));
  const HeadPointers<const float> head = head_pointers<const float>(head_, note);
  if (!with_gradient && versions == versions_) return;
  diffusion_.set_parameters(steps, with_gradient);
  fused_head_.set_parameters(head);
  // ATen's fused optimizer changes weights without a new version: after training they are read
  // anew.
  versions_ = with_gradient ? std::vector<std::int64_t>{} : std::move(versions);
}

DiffusionInput FusedKernel::input(const Batch& batch) {
  table_ = {embedding_.weight().const_data_ptr<float>(),
            batch.tokens.const_data_ptr<std::int32_t>()};
  return {.offsets = batch.host_offsets, .tables = std::span(&table_, 1)};
}

at::Tensor FusedKernel::forward(const Batch& batch, const ForwardContext& context) {
  read_parameters(false);
  DiffusionInput input = this->input(batch);
  RandomPlace place;
  if (embedding_.noise_at_evaluation() && stack_.spec().noise_std > 0) {
    if (!context.generator.defined())
      throw Error("The model adds noise here, but ForwardContext has no generator.");
    place.seed = at::check_generator<at::CPUGeneratorImpl>(context.generator)->random64();
    input.random = &place;
  }
  const std::int64_t texts = batch.size();
  const std::int64_t width = stack_.spec().output_dim();
  if (static_cast<std::int64_t>(pooled_.size()) < texts * width)
    pooled_.resize(static_cast<std::size_t>(texts * width));
  diffusion_.forward(input, pooled_.data());
  at::Tensor logits = at::empty({texts, head_.out().weight.size(0)}, at::kFloat);
  float* to = logits.mutable_data_ptr<float>();
  constexpr std::int64_t kTexts = 48;
  pool_.run((texts + kTexts - 1) / kTexts, [&](std::int64_t task, std::int64_t worker) {
    const std::int64_t first = task * kTexts;
    fused_head_.forward(worker, std::min(kTexts, texts - first), pooled_.data() + first * width,
                        to + first * logits.size(1));
  });
  return logits;
}

const std::int32_t* FusedKernel::dropped_tokens(const Batch& batch, const RandomPlace& place) {
  const std::int32_t* tokens = batch.tokens.const_data_ptr<std::int32_t>();
  if (embedding_.token_dropout() == 0) return tokens;
  ids_.assign(tokens, tokens + batch.token_count());
  drop_tokens(place, embedding_.token_dropout(), embedding_.mask_id(), ids_);
  return ids_.data();
}

PassFigures FusedKernel::train(const Batch& batch, const ForwardContext& context,
                               const PassOptions& options) {
  read_parameters(true);
  if (added_up_) sums_.clear();
  added_up_ = false;
  DiffusionInput input = this->input(batch);
  table_.ids = dropped_tokens(batch, context.place);
  input.random = &context.place;
  input.dropout = true;
  std::vector<StepPointers<float>> gradients;
  for (const StepTensors& step : stack_.parameters())
    gradients.push_back(step_pointers<float>(step, gradient));
  const std::size_t known = sums_.ids().size();
  float* rows = sums_.append({table_.ids, static_cast<std::size_t>(batch.token_count())});
  if (options.before_rows) options.before_rows(sums_.ids().subspan(known), pool_);
  const std::int64_t slots = diffusion_.slot_count(batch.host_offsets, fused_head_.slot_size());
  fused_head_.begin({.labels = batch.labels.const_data_ptr<std::int64_t>(),
                     .distributions = values(batch.distributions),
                     .weights = values(batch.weights),
                     .label_smoothing = options.label_smoothing,
                     .weight = static_cast<float>(options.weight),
                     .random = &context.place},
                    slots);
  diffusion_.forward_backward(
      input,
      [this](const FusedDiffusion::Exchange& exchange) {
        fused_head_.add_gradients(exchange.worker, exchange.slot, exchange.texts, exchange.output,
                                  exchange.gradient);
      },
      rows, gradients, slots);
  const HeadFigures figures = fused_head_.end(head_pointers<float>(head_, gradient));
  return {.loss = figures.loss * options.weight, .correct = figures.correct};
}

RowGradient FusedKernel::row_gradient() {
  const double squares = sums_.add_up(pool_);
  added_up_ = true;
  return {.ids = sums_.ids(),
          .positions = sums_.positions(),
          .rows = sums_.rows(),
          .dim = stack_.spec().dim,
          .square_sum = squares,
          .workers = &pool_};
}

}  // namespace diffuse
