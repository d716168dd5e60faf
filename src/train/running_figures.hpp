#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "diffuse/train/figure_sums.hpp"
#include "divergence.hpp"

namespace diffuse {

/// What one update leaves behind for the reports. The tensors are scalars on the training device.
struct UpdateFigures {
  std::int64_t update = 0;  ///< 1-based
  std::int64_t examples = 0;
  std::int64_t tokens = 0;
  double learning_rate = 0;
  at::Tensor loss{};                   ///< mean per example
  at::Tensor gradient_norm{};          ///< before clipping; anything where `skipped`
  at::Tensor correct{};                ///< examples whose largest logit is the label's
  bool skipped = false;                ///< gradients that overflowed float16: the weights stayed
  std::optional<double> loss_scale{};  ///< that the update used; fp16 only
  std::vector<std::uint32_t> rows{};   ///< of the data set that the update saw
};

/// Collects the figures of updates without making the host wait for a GPU: they stay on the device
/// until `drain` fetches them in one copy.
class RunningFigures {
 public:
  void add(const UpdateFigures& figures);

  /// Fetches what is pending. Returns the first update that shows divergence, if one does; only the
  /// updates before it are in the sums then.
  std::optional<Divergence> drain();

  const FigureSums& window() const { return window_; }
  const FigureSums& period() const { return period_; }
  void clear_window() { window_ = {}; }
  void clear_period() { period_ = {}; }
  /// Goes on with a period that an earlier process began.
  void resume_period(const FigureSums& period) { period_ = period; }
  RecentLosses recent() const;
  /// Judges by what an earlier process has seen.
  void resume_recent(const RecentLosses& recent);
  double last_gradient_norm() const { return last_gradient_norm_; }
  std::optional<double> last_loss_scale() const { return last_loss_scale_; }

 private:
  std::vector<UpdateFigures> pending_;      // their tensors are in pending_values_
  std::vector<at::Tensor> pending_values_;  // float32 [3] each: loss, gradient norm, correct
  DivergenceMonitor monitor_;
  FigureSums window_;
  FigureSums period_;
  double last_gradient_norm_ = 0;
  std::optional<double> last_loss_scale_;
};

}  // namespace diffuse
