#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "diffuse/config/config.hpp"
#include "diffuse/model/layers.hpp"
#include "diffuse/ops/counter_random.hpp"

namespace diffuse {

/// From pooled vectors to logits: Linear, gelu, Linear with dropout before each, or one Linear
/// (with dropout before it) where head_hidden_dim is 0; -1 takes dim as the hidden width.
class Head {
 public:
  Head() = default;
  /// `in`: width of the pooled vectors, `classes`: number of logits.
  Head(const ModelConfig& config, std::int64_t in, std::int64_t classes, FreshTensors& tensors);

  /// `pooled` `[B, in]` to `[B, classes]`.
  at::Tensor forward(const at::Tensor& pooled, const ForwardContext& context) const;
  /// The same with another dropout, which is told what for.
  using Dropout = std::function<at::Tensor(const at::Tensor& x, RandomStream stream)>;
  at::Tensor forward(const at::Tensor& pooled, const Dropout& dropped) const;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);

  /// The first Linear, null without a hidden layer.
  const Linear* in() const { return has_hidden_ ? &in_ : nullptr; }
  const Linear& out() const { return out_; }
  double dropout_probability() const { return dropout_; }

 private:
  double dropout_ = 0;
  bool has_hidden_ = false;
  Linear in_;  // only where has_hidden_
  Linear out_;
};

}  // namespace diffuse
