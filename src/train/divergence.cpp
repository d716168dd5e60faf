#include "divergence.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace diffuse {
namespace {

constexpr std::size_t kFewestToJudgeBy = 100;
constexpr double kDeviations = 6;
constexpr double kMultiple = 2;

}  // namespace

std::optional<std::string> DivergenceMonitor::note(double loss, double gradient_norm,
                                                   bool skipped) {
  if (!std::isfinite(loss)) return fmt::format("the loss is {}", loss);
  skipped_ = skipped ? skipped_ + 1 : 0;
  if (skipped_ >= kPatience) {
    return fmt::format("the gradients overflowed float16 in {} updates in a row", skipped_);
  }
  if (!skipped && !std::isfinite(gradient_norm)) {
    return fmt::format("the gradient norm is {}", gradient_norm);
  }
  if (outside_recent_range(loss)) {
    if (++outside_ < kPatience) return std::nullopt;
    return fmt::format("the loss has been far above its recent mean of {:.4g} for {} updates",
                       sum_ / static_cast<double>(recent_.size()), outside_);
  }
  outside_ = 0;
  remember(loss);
  return std::nullopt;
}

RecentLosses DivergenceMonitor::recent() const {
  return {.losses = {recent_.begin(), recent_.end()},
          .outside_updates = outside_,
          .skipped_updates = skipped_};
}

void DivergenceMonitor::restore(const RecentLosses& recent) {
  *this = {};
  for (const double loss : recent.losses) remember(loss);
  outside_ = recent.outside_updates;
  skipped_ = recent.skipped_updates;
}

void DivergenceMonitor::remember(double loss) {
  recent_.push_back(loss);
  sum_ += loss;
  sum_of_squares_ += loss * loss;
  if (recent_.size() > kHistory) {
    sum_ -= recent_.front();
    sum_of_squares_ -= recent_.front() * recent_.front();
    recent_.pop_front();
  }
}

bool DivergenceMonitor::outside_recent_range(double loss) const {
  if (recent_.size() < kFewestToJudgeBy) return false;
  const auto count = static_cast<double>(recent_.size());
  const double mean = sum_ / count;
  const double variance = std::max(sum_of_squares_ / count - mean * mean, 0.0);
  return loss > kMultiple * mean && loss > mean + kDeviations * std::sqrt(variance);
}

}  // namespace diffuse
