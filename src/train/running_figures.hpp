#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace diffuse {

/// What one update leaves behind for the reports. The tensors are scalars on the training device.
struct UpdateFigures {
  std::int64_t update = 0;  ///< 1-based
  std::int64_t examples = 0;
  std::int64_t tokens = 0;
  double learning_rate = 0;
  at::Tensor loss;           ///< mean per example
  at::Tensor gradient_norm;  ///< before clipping
  at::Tensor correct;        ///< examples whose largest logit is the label's
};

/// Sums over updates.
struct FigureSums {
  double loss_sum = 0;  ///< over examples, so that a small last batch counts by its size
  double correct = 0;
  std::int64_t examples = 0;
  std::int64_t tokens = 0;

  /// Absent without examples.
  std::optional<double> mean_loss() const;
  std::optional<double> accuracy() const;
};

/// Collects the figures of updates without making the host wait for a GPU: they stay on the device
/// until `drain` fetches them in one copy.
class RunningFigures {
 public:
  void add(const UpdateFigures& figures);

  /// Fetches what is pending. Throws TrainingError naming the first update whose loss or gradient
  /// is not finite; the updates before it are in the sums then.
  void drain();

  const FigureSums& window() const { return window_; }
  const FigureSums& period() const { return period_; }
  void clear_window() { window_ = {}; }
  void clear_period() { period_ = {}; }
  double last_gradient_norm() const { return last_gradient_norm_; }

 private:
  struct Pending {
    std::int64_t update, examples, tokens;
    double learning_rate;
  };
  std::vector<Pending> pending_;
  std::vector<at::Tensor> pending_values_;  // float32 [3] each: loss, gradient norm, correct
  FigureSums window_;
  FigureSums period_;
  double last_gradient_norm_ = 0;
};

}  // namespace diffuse
