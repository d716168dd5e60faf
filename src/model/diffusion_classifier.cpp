#include "diffuse/model/diffusion_classifier.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <fmt/core.h>

#include "diffuse/base/error.hpp"
#include "diffuse/model/kernel_choice.hpp"
#include "diffuse/ops/bigrams.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"
#include "dispatched_kernel.hpp"
#include "fused_kernel.hpp"
#include "recorded_forward.hpp"

namespace diffuse {
namespace {

const ModelShape& checked(const ModelShape& shape) {
  if (shape.vocab_size < 1 || shape.class_count < 1 || shape.mask_id < 0 ||
      shape.mask_id >= shape.vocab_size) {
    throw Error(fmt::format(
        "A model for {} tokens and {} classes with mask id {}: expected at least one of each and "
        "a mask id among the tokens.",
        shape.vocab_size, shape.class_count, shape.mask_id));
  }
  return shape;
}

std::int64_t pooled_dim(const ModelConfig& config) {
  return config.pooling == Pooling::mean_max ? 2 * config.dim : config.dim;
}

/// What autocast asks for. tf32 is none of its: there products of float32 are meant.
Precision active_precision(at::DeviceType device) {
  if (!at::autocast::is_autocast_enabled(device)) return Precision::fp32;
  return at::autocast::get_autocast_dtype(device) == at::kBFloat16 ? Precision::bf16
                                                                   : Precision::fp16;
}

}  // namespace

DiffusionClassifier::DiffusionClassifier(const ModelConfig& config, const ModelShape& shape,
                                         std::optional<std::int64_t> seed)
    : DiffusionClassifier(config, shape, FreshTensors(seed)) {}

DiffusionClassifier::DiffusionClassifier(const ModelConfig& config, const ModelShape& shape,
                                         FreshTensors&& tensors)
    : DiffusionClassifier(config, shape, tensors) {}

// The order of the members is the order of the random draws.
DiffusionClassifier::DiffusionClassifier(const ModelConfig& config, const ModelShape& shape,
                                         FreshTensors& tensors)
    : dim_(config.dim),
      products_per_token_(0),
      moves_per_token_(config.steps * config.dim * (neighbour_count(config) + 2)),
      pooling_(config.pooling),
      random_at_evaluation_(config.noise_at_evaluation && config.noise_std > 0.0),
      embedding_(config, checked(shape).vocab_size, shape.mask_id, tensors, shape.numbers),
      stack_(config, tensors),
      head_(config, pooled_dim(config), shape.class_count, tensors) {
  const ParameterVisitor add = [this](const std::string& name, at::Tensor& tensor,
                                      ParameterRole role) {
    tensor.set_requires_grad(true);
    parameters_.push_back({name, &tensor, role});
  };
  embedding_.visit("embedding", add);
  stack_.visit("steps", add);
  for (const Parameter& parameter : parameters_)
    if (parameter.role == ParameterRole::matrix) products_per_token_ += parameter.tensor->numel();
  if (config.share_weights && config.steps > 0)
    products_per_token_ = products_per_token_ / stack_.spec().set_count() * config.steps;
  head_.visit("head", add);
}

DiffusionClassifier::~DiffusionClassifier() = default;

void DiffusionClassifier::use_kernel(Kernel kernel, Precision precision) {
  fused_.reset();
  kernel_ = chosen_kernel(kernel, ModelType::diffusion, device(), precision);
  if (kernel_ == Kernel::fused)
    fused_ = std::make_unique<FusedKernel>(embedding_, stack_, head_, precision);
  recorded_.reset();
  if (kernel_ == Kernel::operations)
    recorded_ = std::make_unique<RecordedForward>(device(), precision, [this](const Batch& batch) {
      return DispatchedKernel(embedding_, stack_).logits(batch, {}, head_).to(at::kFloat);
    });
  kernel_precision_ = precision == Precision::tf32 ? Precision::fp32 : precision;
}

std::optional<PassFigures> DiffusionClassifier::train_pass(const Batch& batch,
                                                           const ForwardContext& context,
                                                           const PassOptions& options) {
  if (!fused_) return std::nullopt;
  check_offsets(batch);
  return fused_->train(batch, context, options);
}

std::vector<RowGradient> DiffusionClassifier::row_gradients() {
  return fused_ ? fused_->row_gradients() : std::vector<RowGradient>();
}

std::vector<std::vector<std::int32_t>> DiffusionClassifier::embedding_rows(
    const Batch& batch) const {
  if (embedding_.of_numbers()) return {};
  std::vector<std::vector<std::int32_t>> rows = Classifier::embedding_rows(batch);
  if (const std::int64_t buckets = embedding_.bigram_buckets(); buckets > 0) {
    rows.emplace_back(rows.front().size());
    bigram_rows(rows.front(), batch.host_offsets, buckets, rows.back());
  }
  return rows;
}

at::Tensor DiffusionClassifier::forward(const Batch& batch, const ForwardContext& context) {
  check_offsets(batch);
  // An evaluation may ask for another precision than use_kernel was told.
  if (!at::GradMode::is_enabled() && active_precision(device().type()) == kernel_precision_) {
    if (fused_) return fused_->forward(batch, context);
    const bool plain = !context.training && context.embeddings == nullptr && !random_at_evaluation_;
    if (recorded_ && plain && RecordedForward::takes(batch)) return recorded_->logits(batch);
  }
  const at::Tensor logits = kernel_ == Kernel::operations
                                ? DispatchedKernel(embedding_, stack_).logits(batch, context, head_)
                                : reference_logits(batch, context);
  return logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
}

at::Tensor DiffusionClassifier::reference_logits(const Batch& batch,
                                                 const ForwardContext& context) const {
  const at::Tensor initial = embedding_.forward(batch, context);
  const at::Tensor state = stack_.forward(initial, batch.host_offsets);
  const Segments segments(batch.host_offsets,
                          at::TensorOptions(state.device()).dtype(state.dtype()));
  return head_.forward(segment_pool(state, segments, pooling_), context);
}

bool DiffusionClassifier::is_small(const Batch& batch) const {
  if (fused_) return false;                  // it has threads of its own
  constexpr std::int64_t kElements = 32768;  // LibTorch's grain size
  constexpr std::int64_t kProducts = std::int64_t{1} << 22;
  return device().is_cpu() && batch.token_count() <= kElements / dim_ &&
         batch.token_count() * products_per_token_ <= kProducts;
}

std::int64_t DiffusionClassifier::work_per_token() const {
  constexpr std::int64_t kMove = 30;  // multiplications that take as long, on two cores
  return products_per_token_ + kMove * moves_per_token_;
}

std::vector<NamedParameter> DiffusionClassifier::parameters() const {
  std::vector<NamedParameter> parameters;
  parameters.reserve(parameters_.size());
  for (const Parameter& parameter : parameters_) {
    parameters.push_back({parameter.name, *parameter.tensor, parameter.role});
  }
  return parameters;
}

std::int64_t DiffusionClassifier::constant_count() const {
  const at::Tensor& of_numbers = embedding_.coefficients();
  return stack_.constant_count() + (of_numbers.defined() ? of_numbers.numel() : 0);
}

void DiffusionClassifier::to(at::Device device) { convert(at::TensorOptions(device)); }

void DiffusionClassifier::to_dtype(at::ScalarType dtype) {
  convert(at::TensorOptions(device()).dtype(dtype));
}

void DiffusionClassifier::convert(const at::TensorOptions& options) {
  const auto converted = [&options](const at::Tensor& tensor) {
    const auto dtype = options.has_dtype() ? options.dtype() : tensor.dtype();
    return tensor.detach().to(options.dtype(dtype));
  };
  for (const Parameter& parameter : parameters_) {
    *parameter.tensor = converted(*parameter.tensor).set_requires_grad(true);
  }
  fused_.reset();  // made for the tensors that were
  recorded_.reset();
  if (kernel_ == Kernel::fused) kernel_ = Kernel::reference;
  const ParameterVisitor convert_constant = [&](const std::string&, at::Tensor& tensor,
                                                ParameterRole) { tensor = converted(tensor); };
  embedding_.visit_constants(convert_constant);
  stack_.visit_constants(convert_constant);
}

at::Device DiffusionClassifier::device() const { return parameters_.front().tensor->device(); }

}  // namespace diffuse
