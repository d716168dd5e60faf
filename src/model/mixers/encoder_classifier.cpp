#include "encoder_classifier.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sin.h>
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "diffuse/config/load.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"

namespace diffuse {

at::Tensor position_table(std::int64_t count, std::int64_t dim) {
  const at::Tensor positions = at::arange(count, at::kDouble).unsqueeze(1);
  const std::int64_t half = (dim + 1) / 2;
  const at::Tensor rates =
      at::exp(at::arange(half, at::kDouble).mul(-std::log(10000.0) * 2 / static_cast<double>(dim)));
  const at::Tensor angles = positions.mul(rates);
  return at::cat({at::sin(angles), at::cos(angles.narrow(1, 0, dim / 2))}, 1).to(at::kFloat);
}

EncoderClassifier::EncoderClassifier(const Config& config, const ModelShape& shape,
                                     FreshTensors& tensors)
    : pooling_(config.model.pooling),
      random_at_evaluation_(config.model.noise_at_evaluation && config.model.noise_std > 0.0),
      // As far spread as the embedding, which the sines of full height would drown at first.
      position_scale_(config.mixer.positions && has_effect("mixer", "positions", config.model.type)
                          ? config.model.embedding_init_std * std::numbers::sqrt2
                          : 0.0),
      embedding_(config.model, shape.vocab_size, shape.mask_id, tensors, shape.numbers) {
  for (std::int64_t i = 0; i < config.model.steps; ++i)
    blocks_.push_back(make_mixer_block(config, i, tensors));
  norm_ = LayerNorm(config.model.dim, tensors);
  const std::int64_t pooled =
      pooling_ == Pooling::mean_max ? 2 * config.model.dim : config.model.dim;
  head_ = Head(config.model, pooled, shape.class_count, tensors);
  const ParameterVisitor add = [this](const std::string& name, at::Tensor& tensor,
                                      ParameterRole role) {
    tensor.set_requires_grad(true);
    parameters_.push_back({name, &tensor, role});
  };
  embedding_.visit("embedding", add);
  const ParameterVisitor keep = [this](const std::string&, at::Tensor& tensor, ParameterRole) {
    constants_.push_back(&tensor);
  };
  embedding_.visit_constants(keep);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    blocks_[i]->visit(fmt::format("blocks.{}", i), add);
    blocks_[i]->visit_constants(keep);
  }
  norm_.visit("norm", add);
  head_.visit("head", add);
}

at::Tensor EncoderClassifier::position_rows(const TextGrid& grid, const at::Tensor& like) {
  if (!position_table_.defined() || position_table_.size(0) < grid.longest()) {
    const auto count = std::bit_ceil(static_cast<std::uint64_t>(grid.longest()));
    position_table_ = position_table(static_cast<std::int64_t>(count), like.size(1))
                          .mul(position_scale_)
                          .to(like.options().requires_grad(false));
  }
  return position_table_.index_select(0, grid.positions());
}

at::Tensor EncoderClassifier::forward(const Batch& batch, const ForwardContext& context) {
  check_offsets(batch);
  const TextGrid grid(batch);
  at::Tensor state = embedding_.forward(batch, context);
  if (position_scale_ > 0) state = at::add(state, position_rows(grid, state));
  for (const auto& block : blocks_) state = block->forward(state, grid, context);
  state = norm_.forward(state);
  const Segments segments(batch.host_offsets,
                          at::TensorOptions(state.device()).dtype(state.dtype()));
  const at::Tensor logits = head_.forward(segment_pool(state, segments, pooling_), context);
  return logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
}

std::vector<NamedParameter> EncoderClassifier::parameters() const {
  std::vector<NamedParameter> parameters;
  for (const Parameter& parameter : parameters_)
    parameters.push_back({parameter.name, *parameter.tensor, parameter.role});
  return parameters;
}

void EncoderClassifier::convert(const at::TensorOptions& options) {
  const auto converted = [&options](const at::Tensor& tensor) {
    const auto dtype = options.has_dtype() ? options.dtype() : tensor.dtype();
    return tensor.detach().to(options.dtype(dtype));
  };
  for (const Parameter& parameter : parameters_)
    *parameter.tensor = converted(*parameter.tensor).set_requires_grad(true);
  for (at::Tensor* const constant : constants_) *constant = converted(*constant);
  position_table_.reset();
}

at::Device EncoderClassifier::device() const { return parameters_.front().tensor->device(); }

std::int64_t EncoderClassifier::constant_count() const {
  std::int64_t count = 0;
  for (const at::Tensor* const constant : constants_) count += constant->numel();
  return count;
}

}  // namespace diffuse
