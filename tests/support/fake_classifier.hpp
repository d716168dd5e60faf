#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "diffuse/model/classifier.hpp"

namespace diffuse::testing {

/// The smallest classifier that learns: logits_b = mean over the tokens of b of weight[token],
/// plus a bias. Starts at zero, so it needs no random numbers.
class FakeClassifier : public Classifier {
 public:
  FakeClassifier(std::int64_t vocab_size, std::int64_t class_count)
      : weight_(at::zeros({vocab_size, class_count})), bias_(at::zeros({class_count})) {
    weight_.requires_grad_(true);
    bias_.requires_grad_(true);
  }

  at::Tensor forward(const Batch& batch, const ForwardContext& context) override {
    const at::Tensor rows = at::index_select(weight_, 0, batch.tokens.to(at::kLong));
    const at::Tensor offsets = batch.offsets.to(at::kLong);
    const at::Tensor lengths = offsets.slice(0, 1).sub(offsets.slice(0, 0, -1));
    const at::Tensor segment = at::repeat_interleave(lengths);
    const at::Tensor sums =
        at::zeros({batch.size(), weight_.size(1)}, weight_.options().requires_grad(false))
            .index_add(0, segment, rows);
    at::Tensor logits = sums.div(lengths.unsqueeze(1)).add(bias_);
    if (context.training && ++training_calls_ == nan_at_call)
      logits = logits.mul(std::numeric_limits<double>::quiet_NaN());
    if (on_forward) on_forward(context);
    return logits;
  }

  std::vector<NamedParameter> parameters() const override {
    return {{"weight", weight_, ParameterRole::matrix}, {"bias", bias_, ParameterRole::vector}};
  }
  void to(at::Device device) override {
    const at::NoGradGuard no_grad;
    weight_ = weight_.detach().to(device).requires_grad_(true);
    bias_ = bias_.detach().to(device).requires_grad_(true);
  }
  at::Device device() const override { return weight_.device(); }
  bool random_at_evaluation() const override { return random; }
  bool is_small(const Batch& batch) const override { return batch.size() <= small_up_to; }

  std::int64_t nan_at_call = 0;  ///< training call (1-based) whose logits are NaN; 0: none
  bool random = false;
  std::int64_t small_up_to = 0;  ///< batches of at most as many rows are small
  std::function<void(const ForwardContext&)> on_forward;

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  std::int64_t training_calls_ = 0;
};

}  // namespace diffuse::testing
