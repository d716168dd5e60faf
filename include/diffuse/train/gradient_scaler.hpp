#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace diffuse {

struct GradientScalerOptions {
  double initial_scale = 65536;
  double growth = 2;     ///< factor after `growth_interval` good updates in a row
  double backoff = 0.5;  ///< factor after an update whose gradients overflowed
  std::int64_t growth_interval = 2000;
};

/// Loss scaling for float16 (Micikevicius et al., ICLR 2018): gradients too small for the format
/// are lifted by a factor on the loss, which falls when they overflow and rises while they do not.
/// The order in an update is: scale the loss, backward, unscale and check, clip, step or skip,
/// update.
class GradientScaler {
 public:
  explicit GradientScaler(at::Device device, const GradientScalerOptions& options = {});

  /// `loss` times the scale.
  at::Tensor scale(const at::Tensor& loss) const;
  /// Divides the gradients by the scale, in place. Whether all of them are finite; if not, the
  /// update must be skipped. Waits for the device.
  bool unscale(const std::vector<at::Tensor>& gradients);
  /// Adapts the scale to what the last `unscale` found.
  void update();

  /// The scale in force. Waits for the device.
  double current() const;
  /// `scaler.scale` float32 [1] and `scaler.good_updates` int32 [1], shared with the scaler.
  std::vector<std::pair<std::string, at::Tensor>> state() const;

 private:
  GradientScalerOptions options_;
  at::Tensor scale_;
  at::Tensor good_updates_;  // in a row, since the scale last changed
  at::Tensor overflow_;      // float32 [1], 1 where the last gradients were not all finite
};

}  // namespace diffuse
