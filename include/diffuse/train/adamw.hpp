#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/model/classifier.hpp"

namespace diffuse {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;            ///< decoupled; on parameters of role `matrix`
  double embedding_weight_decay = 0.0;  ///< on parameters of role `embedding`
  /// The embedding's rate as a multiple of the others'. Not that of its pairs of words: they are
  /// what is learned beside words that stay as they were pretrained.
  double embedding_lr_factor = 1.0;

  /// That of one parameter.
  double lr_factor(const NamedParameter& parameter) const;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, algorithm 2), on ATen's
/// fused kernel: one pass over each parameter, its gradient and both moments. One group of
/// parameters for each role.
class AdamW {
 public:
  /// State lives on the parameters' device, float32. Throws Error if a parameter is not float32.
  AdamW(const std::vector<NamedParameter>& parameters, const AdamWOptions& options);

  /// One update by the gradients that `backward` left, each first divided by `gradient_divisor`
  /// (a float32 scalar on the same device; absent: 1). A parameter without a gradient keeps its
  /// value.
  void step(double learning_rate, const std::optional<at::Tensor>& gradient_divisor = {});
  /// The same with the rate in the device's memory, a float32 scalar: what a recording reads anew
  /// each time.
  void step(const at::Tensor& learning_rate, const std::optional<at::Tensor>& gradient_divisor);

  /// Forgets the gradients. `keep_memory`: they stay, as zeros.
  void clear_gradients(bool keep_memory = false);

  /// The gradients that are there.
  std::vector<at::Tensor> gradients() const;

  /// `exp_avg.<name>` and `exp_avg_sq.<name>` of each parameter and `step.<role>` of each role that
  /// has any: float32, shared with the optimizer, in a fixed order.
  std::vector<std::pair<std::string, at::Tensor>> state() const;

 private:
  struct Group {
    std::string name;
    double weight_decay = 0;
    at::Tensor step{};  // float32 [], how often the group was updated
    std::vector<std::string> parameter_names{};
    std::vector<at::Tensor> parameters{};
    std::vector<double> lr_factors{};
    std::vector<at::Tensor> averages{};
    std::vector<at::Tensor> square_averages{};
  };
  template <class Rate>
  void step_groups(const Rate& learning_rate, const std::optional<at::Tensor>& gradient_divisor);
  template <class Rate>
  void step_group(Group& group, const Rate& learning_rate,
                  const std::optional<at::Tensor>& gradient_divisor) const;

  AdamWOptions options_;
  std::vector<Group> groups_;
};

}  // namespace diffuse
