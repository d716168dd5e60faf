#include "diffuse/model/masked_word_model.hpp"

#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/device/precision.hpp"
#include "diffuse/device/recording.hpp"
#include "diffuse/model/kernel_choice.hpp"
#include "diffuse/ops/dispatched/initial_state.hpp"
#include "diffuse/ops/reference/diffusion.hpp"
#include "dispatched_kernel.hpp"
#include "kernel_pointers.hpp"
#include "masked_word_kernel.hpp"

namespace diffuse {
namespace {

/// The model part of the classifier that is pretrained, for words that are hidden on purpose.
ModelConfig without_pairs(ModelConfig config) {
  config.bigram_buckets = 0;
  config.token_dropout = 0;
  return config;
}

/// The arrays of MaskedWords on a device.
struct DeviceWords {
  at::Tensor labels;      // int64 [M]
  at::Tensor tokens;      // int32 [N]
  at::Tensor places;      // int32 [M]
  at::Tensor candidates;  // int32 [C]
  at::Tensor bias;        // float32 [C]
};

/// In one copy that nothing waits for.
DeviceWords on_device(const MaskedWords& words, at::Device device) {
  const auto bytes = [](const auto& values) { return std::as_bytes(std::span(values)); };
  // The labels first: they are aligned to eight bytes.
  const std::span<const std::byte> parts[] = {bytes(words.labels), bytes(words.tokens),
                                              bytes(words.places), bytes(words.candidates),
                                              bytes(words.bias)};
  std::int64_t size = 0;
  for (const auto& part : parts) size += std::ssize(part);
  const at::Tensor memory = at::empty({size}, at::TensorOptions(device).dtype(at::kByte));
  upload(memory, [&](std::span<std::byte> to) {
    for (const auto& part : parts) {
      std::ranges::copy(part, to.begin());
      to = to.subspan(part.size());
    }
  });
  std::int64_t at = 0;
  const auto next = [&](std::size_t part, at::ScalarType type) {
    const std::int64_t from = std::exchange(at, at + std::ssize(parts[part]));
    return memory.narrow(0, from, at - from).view(type);
  };
  return {next(0, at::kLong), next(1, at::kInt), next(2, at::kInt), next(3, at::kInt),
          next(4, at::kFloat)};
}

}  // namespace

MaskedWordModel::MaskedWordModel(const ModelConfig& config, const PretrainConfig& pretrain,
                                 const ModelShape& shape, std::span<const std::int64_t> counts,
                                 std::optional<std::int64_t> seed)
    : MaskedWordModel(without_pairs(config), pretrain, shape, counts, FreshTensors(seed)) {}

MaskedWordModel::MaskedWordModel(const ModelConfig& config, const PretrainConfig& pretrain,
                                 const ModelShape& shape, std::span<const std::int64_t> counts,
                                 FreshTensors tensors)
    : embedding_(config, shape.vocab_size, shape.mask_id, tensors),
      stack_(config, tensors),
      prediction_(config.dim, config.dim, tensors),
      masker_(counts, shape.mask_id, pretrain) {
  const ParameterVisitor add = [this](const std::string& name, at::Tensor& tensor,
                                      ParameterRole role) {
    tensor.set_requires_grad(true);
    parameters_.push_back({name, &tensor, role});
  };
  embedding_.visit("embedding", add);
  stack_.visit("steps", add);
  prediction_.visit("prediction", add);
}

MaskedWordModel::~MaskedWordModel() = default;

at::Tensor MaskedWordModel::forward(const Batch&, const ForwardContext&) {
  throw Error("A model of hidden words knows no classes.");
}

void MaskedWordModel::use_kernel(Kernel kernel, Precision precision) {
  fused_.reset();
  kernel_ = chosen_kernel(kernel, ModelType::diffusion, device(), precision);
  if (kernel_ == Kernel::fused)
    fused_ = std::make_unique<MaskedWordKernel>(embedding_, stack_, prediction_, precision);
  precision_ = precision;
}

std::optional<PassFigures> MaskedWordModel::train_pass(const Batch& batch,
                                                       const ForwardContext& context,
                                                       const PassOptions& options) {
  check_offsets(batch);
  masker_.hide(batch.host->tokens(), batch.host_offsets, context.place, hidden_);
  const double count = std::max<double>(static_cast<double>(hidden_.places.size()), 1);
  const auto texts = static_cast<double>(batch.size());
  const double share = texts * options.weight;  // of the batch in its update
  // Where nothing is hidden the optimizer still asks for gradients.
  for (const Parameter& parameter : parameters_)
    if (!fused_ || parameter.role != ParameterRole::embedding) gradient(*parameter.tensor);
  if (!fused_) {
    if (hidden_.places.empty()) return PassFigures{};
    const Found found = pass_by_autograd(batch, context, share * options.loss_scale);
    return PassFigures{.device_loss = found.loss.mul(share),
                       .device_correct = found.correct.mul(texts / count).round().to(at::kLong)};
  }
  const HeadFigures figures =
      fused_->train(batch, hidden_, context.place, static_cast<float>(share / count), options);
  return PassFigures{.loss = figures.loss / count * share,
                     .correct = std::llround(static_cast<double>(figures.correct) / count * texts)};
}

/// The mean loss, whose gradients times `share` are added.
MaskedWordModel::Found MaskedWordModel::pass_by_autograd(const Batch& batch,
                                                         const ForwardContext& context,
                                                         double share) {
  const DeviceWords words = on_device(hidden_, device());
  Batch shown = batch;
  shown.tokens = words.tokens;
  const at::Tensor labels = words.labels.unsqueeze(1);
  at::Tensor logits;
  {
    const PrecisionScope scope(precision_, device());
    const at::Tensor state =
        kernel_ == Kernel::operations
            ? DispatchedKernel(embedding_, stack_).states(shown, context)
            : stack_.forward(embedding_.forward(shown, context), batch.host_offsets);
    const at::Tensor rows = at::index_select(state, 0, words.places);
    const at::Tensor wanted = activate(prediction_.forward(rows), Activation::gelu);
    const at::Tensor candidates =
        kernel_ == Kernel::operations
            ? initial_state({.words = embedding_.weight(), .word_ids = words.candidates})
            : at::embedding(embedding_.weight(), words.candidates);
    logits = at::matmul(wanted, candidates.t()).add(words.bias).to(at::kFloat);
  }
  const at::Tensor loss = at::gather(at::log_softmax(logits, -1), 1, labels).mean().neg();
  loss.mul(share).backward();
  return {loss.detach(), logits.detach().argmax(-1, true).eq(labels).sum()};
}

std::vector<RowGradient> MaskedWordModel::row_gradients() {
  if (!fused_) return {};
  return {fused_->row_gradient()};
}

std::vector<NamedParameter> MaskedWordModel::parameters() const {
  std::vector<NamedParameter> parameters;
  for (const Parameter& parameter : parameters_)
    parameters.push_back({parameter.name, *parameter.tensor, parameter.role});
  return parameters;
}

void MaskedWordModel::to(at::Device device) {
  for (const Parameter& parameter : parameters_)
    *parameter.tensor = parameter.tensor->detach().to(device).set_requires_grad(true);
  fused_.reset();
  if (kernel_ == Kernel::fused) kernel_ = Kernel::reference;
  const ParameterVisitor move = [&](const std::string&, at::Tensor& tensor, ParameterRole) {
    tensor = tensor.to(device);
  };
  embedding_.visit_constants(move);
  stack_.visit_constants(move);
}

at::Device MaskedWordModel::device() const { return parameters_.front().tensor->device(); }

}  // namespace diffuse
