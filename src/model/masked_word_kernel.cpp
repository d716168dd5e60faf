#include "masked_word_kernel.hpp"

#include <ATen/Parallel.h>

#include <algorithm>

#include "kernel_pointers.hpp"

namespace diffuse {
namespace {

/// Hidden words that go through the head together.
constexpr std::int64_t kBlock = 96;

}  // namespace

MaskedWordKernel::MaskedWordKernel(const NoisyEmbedding& embedding, const DiffusionStack& stack,
                                   const Linear& prediction, Precision precision)
    : embedding_(embedding),
      stack_(stack),
      prediction_(prediction),
      pool_(at::get_num_threads()),
      diffusion_(
          [&] {
            DiffusionSpec spec = stack.spec();
            spec.pooling.reset();
            return spec;
          }(),
          pool_, {.bf16 = precision == Precision::bf16}),
      head_({.in_dim = stack.spec().dim, .hidden_dim = stack.spec().dim, .classes = 1},
            pool_.threads()),
      sums_(stack.spec().dim),
      numbers_(static_cast<std::size_t>(pool_.threads())),
      states_(numbers_.size()) {}

void MaskedWordKernel::read_parameters(const MaskedWords& hidden) {
  std::vector<StepPointers<const float>> steps;
  for (const StepTensors& step : stack_.parameters())
    steps.push_back(step_pointers<const float>(step, values));
  diffusion_.set_parameters(steps, true);
  const std::int64_t dim = stack_.spec().dim;
  const float* table = values(embedding_.weight());
  candidates_.resize(hidden.candidates.size() * static_cast<std::size_t>(dim));
  for (std::size_t c = 0; c < hidden.candidates.size(); ++c)
    std::copy_n(table + hidden.candidates[c] * dim, dim,
                candidates_.data() + static_cast<std::int64_t>(c) * dim);
  head_.set_classes(std::ssize(hidden.candidates));
  head_.set_parameters({.in_weight = values(prediction_.weight),
                        .in_bias = values(prediction_.bias),
                        .out_weight = candidates_.data(),
                        .out_bias = hidden.bias.data()});
}

void MaskedWordKernel::note_rows(std::span<const std::int32_t> ids, const PassOptions& options) {
  const std::size_t known = sums_.ids().size();
  sums_.append(ids);
  if (options.before_rows) options.before_rows(0, sums_.ids().subspan(known), pool_);
}

/// The head on the hidden rows of some texts; the other rows have no gradient.
void MaskedWordKernel::predict(const Exchange& exchange, const MaskedWords& hidden,
                               std::span<const std::int32_t> offsets) {
  const std::int64_t dim = stack_.spec().dim;
  std::vector<std::int64_t>& numbers = numbers_[static_cast<std::size_t>(exchange.worker)];
  std::vector<float>& states = states_[static_cast<std::size_t>(exchange.worker)];
  states.resize(static_cast<std::size_t>(2 * kBlock * dim));
  float* const gradients = states.data() + kBlock * dim;
  std::vector<std::int64_t> rows;  // of the block, among the exchange's
  const auto flush = [&] {
    if (numbers.empty()) return;
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy_n(exchange.output + rows[i] * dim, dim,
                  states.data() + static_cast<std::int64_t>(i) * dim);
    head_.add_gradients(exchange.worker, exchange.slot, numbers, states.data(), gradients);
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy_n(gradients + static_cast<std::int64_t>(i) * dim, dim,
                  exchange.gradient + rows[i] * dim);
    numbers.clear();
    rows.clear();
  };
  numbers.clear();
  std::int64_t first = 0;  // row of the text among the exchange's
  for (const std::int64_t text : exchange.texts) {
    const auto t = static_cast<std::size_t>(text);
    const std::int64_t length = offsets[t + 1] - offsets[t];
    std::fill_n(exchange.gradient + first * dim, length * dim, 0.0F);
    for (std::int32_t m = hidden.starts[t]; m < hidden.starts[t + 1]; ++m) {
      numbers.push_back(m);
      rows.push_back(first + hidden.places[static_cast<std::size_t>(m)] - offsets[t]);
      if (std::ssize(numbers) == kBlock) flush();
    }
    first += length;
  }
  flush();
}

HeadFigures MaskedWordKernel::train(const Batch& batch, const MaskedWords& hidden,
                                    const RandomPlace& place, float weight,
                                    const PassOptions& options) {
  if (added_up_) {
    sums_.clear();
    rows_ = 0;
  }
  added_up_ = false;
  if (hidden.places.empty()) return {};
  note_rows(hidden.tokens, options);
  note_rows(hidden.candidates, options);
  read_parameters(hidden);
  const std::int64_t dim = stack_.spec().dim;
  const auto candidates = std::ssize(hidden.candidates);
  const std::int64_t tokens = batch.token_count();
  const auto floats = static_cast<std::size_t>((rows_ + tokens + candidates) * dim);
  if (row_gradients_.size() < floats) row_gradients_.resize(floats + floats / 4);
  float* const rows = row_gradients_.data() + rows_ * dim;
  rows_ += tokens + candidates;
  const TokenTable table{values(embedding_.weight()), hidden.tokens.data()};
  const DiffusionInput input{
      .offsets = batch.host_offsets, .tables = {&table, 1}, .random = &place, .dropout = true};
  std::vector<StepPointers<float>> gradients;
  for (const StepTensors& step : stack_.parameters())
    gradients.push_back(step_pointers<float>(step, gradient));
  const std::int64_t slots = diffusion_.slot_count(batch.host_offsets, head_.slot_size());
  head_.begin({.labels = hidden.labels.data(), .weight = weight}, slots);
  diffusion_.forward_backward(
      input, [&](const Exchange& exchange) { predict(exchange, hidden, batch.host_offsets); },
      {rows}, gradients, slots);
  float* const words = rows + tokens * dim;
  std::fill_n(words, candidates * dim, 0.0F);
  std::vector<float> biases(hidden.candidates.size());  // they are given
  return head_.end({.in_weight = gradient(prediction_.weight),
                    .in_bias = gradient(prediction_.bias),
                    .out_weight = words,
                    .out_bias = biases.data()});
}

RowGradient MaskedWordKernel::row_gradient() {
  const double squares = sums_.add_up(pool_, row_gradients_.data());
  added_up_ = true;
  return {.ids = sums_.ids(),
          .positions = sums_.positions(),
          .rows = sums_.rows(),
          .dim = stack_.spec().dim,
          .square_sum = squares,
          .workers = &pool_};
}

}  // namespace diffuse
