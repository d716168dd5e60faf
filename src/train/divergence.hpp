#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "diffuse/train/recent_losses.hpp"

namespace diffuse {

/// The update that showed that training has diverged.
struct Divergence {
  std::string what;  ///< "the loss is nan"
  std::int64_t update = 0;
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  double last_finite_norm = 0;         ///< of the updates before
  std::optional<double> loss_scale{};  ///< fp16 only
  std::vector<std::uint32_t> rows{};   ///< of the data set that the update saw
};

/// Looks at the figures of one update after the other for the signs of a run that will not recover.
class DivergenceMonitor {
 public:
  /// Losses that make the recent range.
  static constexpr std::size_t kHistory = 500;
  /// Updates in a row that must lie outside of it, or be skipped.
  static constexpr int kPatience = 100;

  /// What is wrong, if training should stop: a loss or gradient that is not finite; `kPatience`
  /// losses in a row that are above twice the recent mean and more than six standard deviations
  /// from it; or as many updates in a row skipped for gradients that overflow float16 (`skipped`:
  /// their `gradient_norm` says nothing).
  std::optional<std::string> note(double loss, double gradient_norm, bool skipped);

  /// All that `note` goes by; `last_gradient_norm` is left to whoever reports it.
  RecentLosses recent() const;
  void restore(const RecentLosses& recent);

 private:
  void remember(double loss);
  bool outside_recent_range(double loss) const;

  std::deque<double> recent_;  // losses inside the range
  double sum_ = 0;
  double sum_of_squares_ = 0;
  std::int64_t outside_ = 0;
  std::int64_t skipped_ = 0;
};

}  // namespace diffuse
