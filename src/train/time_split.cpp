#include "diffuse/train/time_split.hpp"

#include <algorithm>
#include <numeric>

#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

StepClock::StepClock(at::Device device, std::int64_t sample_every)
    : device_(device),
      sample_every_(device.is_cpu() ? 1 : std::max<std::int64_t>(sample_every, 1)) {}

void StepClock::begin_update() {
  // The last of each round is sampled: the very first update also pays for start-up work.
  sampled_ = ++update_ % sample_every_ == 0;
  if (sampled_) synchronize(device_);
  phase_ = Phase::data;
  phase_start_ = Clock::now();
  update_start_ = phase_start_;
}

void StepClock::end_phase() {
  if (!sampled_) return;
  synchronize(device_);
  const auto now = Clock::now();
  phase_s_[static_cast<std::size_t>(phase_)] += seconds(now - phase_start_);
  phase_start_ = now;
}

void StepClock::enter(Phase next) {
  end_phase();
  phase_ = next;
}

void StepClock::end_update() {
  end_phase();
  const double update_s = seconds(Clock::now() - update_start_);
  training_s_ += update_s;
  total_training_s_ += update_s;
}

TimeSplit StepClock::take() {
  const double sampled_s = std::accumulate(phase_s_.begin(), phase_s_.end(), 0.0);
  const double scale = sampled_s > 0 ? training_s_ / sampled_s : 0;
  const TimeSplit split{.data_s = phase_s_[0] * scale,
                        .forward_s = phase_s_[1] * scale,
                        .backward_s = phase_s_[2] * scale,
                        .optimizer_s = phase_s_[3] * scale,
                        .evaluation_s = evaluation_s_};
  phase_s_ = {};
  training_s_ = 0;
  evaluation_s_ = 0;
  return split;
}

}  // namespace diffuse
