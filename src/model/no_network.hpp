#pragma once

#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// What stands for the network where there is none (model.dim = 0): logits of 0, nothing to train.
class NoNetwork final : public Classifier {
 public:
  explicit NoNetwork(std::int64_t classes) : classes_(classes) {}

  at::Tensor forward(const Batch& batch, const ForwardContext& context) override;
  std::vector<NamedParameter> parameters() const override { return {}; }
  void to(at::Device device) override { device_ = device; }
  at::Device device() const override { return device_; }
  bool is_small(const Batch& batch) const override;

 private:
  std::int64_t classes_;
  at::Device device_ = at::kCPU;
};

}  // namespace diffuse
