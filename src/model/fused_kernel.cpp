#include "fused_kernel.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/adversarial.hpp"
#include "diffuse/ops/bigrams.hpp"
#include "kernel_pointers.hpp"

namespace diffuse {
namespace {

HeadSpec head_spec(const DiffusionStack& stack, const Head& head) {
  return {.in_dim = stack.spec().output_dim(),
          .hidden_dim = head.in() == nullptr ? 0 : head.in()->weight.size(0),
          .classes = head.out().weight.size(0),
          .dropout = head.dropout_probability()};
}

/// Of the pairs' rows that dropout leaves.
float pair_scale(double dropped) { return static_cast<float>(1.0 / (1.0 - dropped)); }

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
      tables_(embedding.bigram_buckets() > 0 ? 2 : 1),
      ids_(tables_.size()),
      sums_(tables_.size(), RowSums(stack.spec().dim)) {}

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

/// `dropout`: where that of tokens and pairs is drawn; null: none.
DiffusionInput FusedKernel::input(const Batch& batch, const RandomPlace* dropout) {
  std::span tokens(batch.tokens.const_data_ptr<std::int32_t>(),
                   static_cast<std::size_t>(batch.token_count()));
  if (dropout != nullptr && embedding_.token_dropout() > 0) {
    ids_[0].assign(tokens.begin(), tokens.end());
    drop_ids(*dropout, RandomStream::token_dropout, embedding_.token_dropout(),
             embedding_.token_dropout_span(), embedding_.mask_id(), ids_[0]);
    tokens = ids_[0];
  }
  if (embedding_.of_numbers()) {
    const at::NoGradGuard no_gradient;
    number_rows_ = embedding_.weight();
  }
  const at::Tensor& rows = embedding_.of_numbers() ? number_rows_ : embedding_.weight();
  tables_[0] = {rows.const_data_ptr<float>(), tokens.data()};
  if (tables_.size() > 1) {
    std::vector<std::int32_t>& pairs = ids_[1];
    pairs.resize(tokens.size());
    bigram_rows(tokens, batch.host_offsets, embedding_.bigram_buckets(), pairs);
    const double dropped = dropout == nullptr ? 0 : embedding_.bigram_dropout();
    if (dropped > 0) drop_ids(*dropout, RandomStream::bigram_dropout, dropped, 1, -1, pairs);
    tables_[1] = {embedding_.bigrams().const_data_ptr<float>(), pairs.data(), pair_scale(dropped)};
  }
  return {.offsets = batch.host_offsets, .tables = tables_};
}

at::Tensor FusedKernel::forward(const Batch& batch, const ForwardContext& context) {
  read_parameters(false);
  DiffusionInput input = this->input(batch, nullptr);
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

/// Forward and backward.
PassFigures FusedKernel::add_gradients(const DiffusionInput& input, const Batch& batch,
                                       const PassOptions& options, const RowGradientSink& rows) {
  std::vector<StepPointers<float>> gradients;
  for (const StepTensors& step : stack_.parameters())
    gradients.push_back(step_pointers<float>(step, gradient));
  const std::int64_t slots = diffusion_.slot_count(batch.host_offsets, fused_head_.slot_size());
  fused_head_.begin({.labels = batch.labels.const_data_ptr<std::int64_t>(),
                     .distributions = values(batch.distributions),
                     .several = batch.several,
                     .weights = values(batch.weights),
                     .label_smoothing = options.label_smoothing,
                     .weight = static_cast<float>(options.weight),
                     .random = input.random},
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

/// The second pass, with the same noise and dropout: adds to `row_gradient`, too.
void FusedKernel::add_adversarial_gradients(DiffusionInput input, const Batch& batch,
                                            const PassOptions& options, float* row_gradient) {
  const std::int64_t dim = stack_.spec().dim;
  const auto floats = static_cast<std::size_t>(batch.token_count() * dim);
  if (step_.size() < floats) step_.resize(floats + floats / 4);
  adversarial_step(input, dim, options.adversarial, row_gradient, pool_, step_.data());
  input.given = step_.data();
  add_gradients(input, batch, options, {.gradient = row_gradient, .add = true});
}

PassFigures FusedKernel::train(const Batch& batch, const ForwardContext& context,
                               const PassOptions& options) {
  read_parameters(true);
  if (added_up_) {
    for (RowSums& sums : sums_) sums.clear();
    rows_ = 0;
  }
  added_up_ = false;
  DiffusionInput input = this->input(batch, &context.place);
  input.random = &context.place;
  input.dropout = true;
  for (std::size_t t = 0; t < tables_.size() && !embedding_.of_numbers(); ++t) {
    const std::size_t known = sums_[t].ids().size();
    sums_[t].append({tables_[t].ids, static_cast<std::size_t>(batch.token_count())});
    if (options.before_rows) options.before_rows(t, sums_[t].ids().subspan(known), pool_);
  }
  const std::int64_t dim = stack_.spec().dim;
  const auto floats = static_cast<std::size_t>((rows_ + batch.token_count()) * dim);
  if (row_gradients_.size() < floats) row_gradients_.resize(floats + floats / 4);
  float* const rows = row_gradients_.data() + rows_ * dim;
  rows_ += batch.token_count();
  const PassFigures figures = add_gradients(input, batch, options, {rows});
  if (options.adversarial > 0) add_adversarial_gradients(input, batch, options, rows);
  if (embedding_.of_numbers()) {
    embedding_.add_number_gradients({tables_[0].ids, static_cast<std::size_t>(batch.token_count())},
                                    rows);
    added_up_ = true;  // the rows are of no use any more
  }
  return figures;
}

std::vector<RowGradient> FusedKernel::row_gradients() {
  if (embedding_.of_numbers()) return {};
  std::vector<RowGradient> gradients(sums_.size());
  // The tokens' sums, in place, come last: those of the pairs need all rows as they are.
  for (std::size_t t = sums_.size(); t-- > 0;) {
    const double squares = t == 0 ? sums_[t].add_up(pool_, row_gradients_.data())
                                  : sums_[t].add_up_apart(pool_, row_gradients_.data(),
                                                          pair_scale(embedding_.bigram_dropout()));
    gradients[t] = {.ids = sums_[t].ids(),
                    .positions = sums_[t].positions(),
                    .rows = sums_[t].rows(),
                    .dim = stack_.spec().dim,
                    .square_sum = squares,
                    .workers = &pool_};
  }
  added_up_ = true;
  return gradients;
}

}  // namespace diffuse
