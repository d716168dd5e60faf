#include "mamba_block.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/square.h>

#include <cmath>

#include "diffuse/device/precision.hpp"

namespace diffuse {
namespace {

/// x over its root mean square along the last dimension, times `weight`.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight) {
  constexpr double kEpsilon = 1e-5;
  const at::Tensor mean_square = at::square(x).mean(-1, /*keepdim=*/true);
  return x.mul(at::rsqrt(mean_square.add(kEpsilon))).mul(weight);
}

/// Uniform as a linear layer's.
at::Tensor matrix(std::int64_t out, std::int64_t in, FreshTensors& tensors) {
  return tensors.uniform({out, in}, 1.0 / std::sqrt(static_cast<double>(in)));
}

/// Whose softplus is log-uniform in 0.001 … 0.1.
at::Tensor first_step_bias(std::int64_t heads, FreshTensors& tensors) {
  const double low = std::log(1e-3);
  const double high = std::log(1e-1);
  const at::Tensor step =
      at::exp(tensors.uniform({heads}, 0.5 * (high - low)).add(0.5 * (high + low)));
  return step.add(at::log(at::exp(step.neg()).neg().add(1)));  // softplus' inverse
}

}  // namespace

MambaReader::MambaReader(const Config& config, FreshTensors& tensors)
    : inner_(config.mixer.expand * config.model.dim),
      state_(config.mixer.state_dim),
      heads_(inner_ / config.mixer.head_dim),
      chunk_(config.mixer.chunk),
      in_(matrix(2 * inner_ + 2 * state_ + heads_, config.model.dim, tensors)) {
  const std::int64_t channels = inner_ + 2 * state_;
  const double bound = 1.0 / std::sqrt(static_cast<double>(config.mixer.conv_width));
  conv_weight_ = tensors.uniform({channels, 1, config.mixer.conv_width}, bound);
  conv_bias_ = tensors.uniform({channels}, bound);
  step_bias_ = first_step_bias(heads_, tensors);
  log_decay_ = at::log(tensors.uniform({heads_}, 7.5).add(8.5));  // -A uniform in 1 … 16
  skip_ = tensors.full({heads_}, 1.0);
  norm_ = tensors.full({inner_}, 1.0);
  out_ = matrix(config.model.dim, inner_, tensors);
}

at::Tensor MambaReader::forward(const at::Tensor& x, const TextGrid& grid) const {
  return at::linear(read(at::linear(x, in_), grid), out_);
}

at::Tensor MambaReader::read(const at::Tensor& products, const TextGrid& grid) const {
  const std::vector<at::Tensor> parts =
      products.split_with_sizes({inner_, inner_ + 2 * state_, heads_}, 1);
  // Sums over a long text, and exponentials, want float32.
  const NoAutocastScope full(products.device());
  const auto type = norm_.scalar_type();
  const at::Tensor gate = parts[0].to(type);
  // Behind a text's end stands nothing that its rows, which see only those before, could read.
  const at::Tensor rows = grid.spread(parts[1].to(type)).transpose(1, 2);  // [B, E + 2 N, L]
  const std::int64_t width = conv_weight_.size(2);
  const at::Tensor convolved = at::conv1d(rows, conv_weight_, conv_bias_, /*stride=*/1,
                                          /*padding=*/width - 1, /*dilation=*/1,
                                          /*groups=*/rows.size(1))
                                   .narrow(2, 0, rows.size(2));
  const std::vector<at::Tensor> seen =
      at::silu(convolved).transpose(1, 2).split_with_sizes({inner_, state_, state_}, 2);
  const at::Tensor step = at::softplus(grid.spread(parts[2].to(type).add(step_bias_)));
  const at::Tensor input =
      seen[0].reshape({seen[0].size(0), seen[0].size(1), heads_, inner_ / heads_});
  const at::Tensor decay = at::exp(log_decay_).neg().mul(step);  // [B, L, heads]
  const at::Tensor states =
      state_space(input.mul(step.unsqueeze(-1)), decay, seen[1], seen[2], chunk_);
  const at::Tensor y = at::add(states, input.mul(skip_.unsqueeze(-1)));
  const at::Tensor gated = at::mul(grid.pack(y.flatten(2, 3)), at::silu(gate));
  return rms_norm(gated, norm_);
}

void MambaReader::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".in.weight", in_, ParameterRole::matrix);
  visitor(prefix + ".conv.weight", conv_weight_, ParameterRole::matrix);
  visitor(prefix + ".conv.bias", conv_bias_, ParameterRole::vector);
  visitor(prefix + ".step_bias", step_bias_, ParameterRole::vector);
  visitor(prefix + ".log_decay", log_decay_, ParameterRole::vector);
  visitor(prefix + ".skip", skip_, ParameterRole::vector);
  visitor(prefix + ".norm.weight", norm_, ParameterRole::vector);
  visitor(prefix + ".out.weight", out_, ParameterRole::matrix);
}

MambaBlock::MambaBlock(const Config& config, FreshTensors& tensors)
    : dropout_(config.mixer.dropout),
      norm_(tensors.full({config.model.dim}, 1.0)),
      forwards_(config, tensors) {
  if (config.mixer.both_directions) backwards_.emplace(config, tensors);
}

at::Tensor MambaBlock::forward(const at::Tensor& x, const TextGrid& grid,
                               const ForwardContext& context) const {
  const at::Tensor normed = rms_norm(x, norm_);
  at::Tensor read = forwards_.forward(normed, grid);
  if (backwards_)
    read = at::add(read, grid.reversed(backwards_->forward(grid.reversed(normed), grid)));
  return at::add(x, dropout(read, dropout_, context));
}

void MambaBlock::visit(const std::string& prefix, const ParameterVisitor& visitor) {
  visitor(prefix + ".norm.weight", norm_, ParameterRole::vector);
  forwards_.visit(prefix + ".forwards", visitor);
  if (backwards_) backwards_->visit(prefix + ".backwards", visitor);
}

}  // namespace diffuse
