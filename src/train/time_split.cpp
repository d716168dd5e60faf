#include "diffuse/train/time_split.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse {
StepClock::StepClock(at::Device device, std::int64_t sample_every)
    : StepClock(Source{steady_now_s, [device] { synchronize(device); }},
                device.is_cpu() ? 1 : sample_every) {}

StepClock::StepClock(Source source, std::int64_t sample_every)
    : source_(std::move(source)), sample_every_(std::max<std::int64_t>(sample_every, 1)) {}

bool StepClock::is_sampled() const {
  // The last of each round, and for periods shorter than a round the first two.
  return update_ % sample_every_ == 0 || update_ <= 2;
}

void StepClock::begin_update() {
  ++update_;
  sampled_ = is_sampled();
  update_start_s_ = source_.now_s();
  if (sampled_) {
    source_.synchronize();  // the updates before it
    // The first of a period may pay for start-up work: it counts only where it is the only one.
    if (update_ == 2 && sample_every_ > 1) phase_s_ = {};
  }
  phase_ = Phase::data;
  phase_start_s_ = source_.now_s();
}

void StepClock::end_phase() {
  if (!sampled_) return;
  source_.synchronize();
  const double now = source_.now_s();
  phase_s_[static_cast<std::size_t>(phase_)] += now - phase_start_s_;
  phase_start_s_ = now;
}

void StepClock::enter(Phase next) {
  end_phase();
  phase_ = next;
  if (source_.on_phase) source_.on_phase();
}

void StepClock::end_update() {
  end_phase();
  add_training(source_.now_s() - update_start_s_);
}

void StepClock::wait_for_updates(const std::function<void()>& work) {
  const double start = source_.now_s();
  work();
  add_training(source_.now_s() - start);
}

void StepClock::add_training(double seconds) {
  training_s_ += seconds;
  total_training_s_ += seconds;
}

HistoryTime StepClock::take() {
  const double sampled_s = std::accumulate(phase_s_.begin(), phase_s_.end(), 0.0);
  const double scale = sampled_s > 0 ? training_s_ / sampled_s : 0;
  const auto time_of = [&](Phase phase) {
    return phase_s_[static_cast<std::size_t>(phase)] * scale;
  };
  const auto if_any = [&](Phase phase) {
    return time_of(phase) > 0 ? std::optional(time_of(phase)) : std::nullopt;
  };
  const HistoryTime split{.data_s = time_of(Phase::data),
                          .forward_s = if_any(Phase::forward),
                          .backward_s = if_any(Phase::backward),
                          .forward_backward_s = if_any(Phase::forward_backward),
                          .optimizer_s = time_of(Phase::optimizer),
                          .evaluation_s = evaluation_s_};
  phase_s_ = {};
  update_ = 0;
  training_s_ = 0;
  evaluation_s_ = 0;
  return split;
}

}  // namespace diffuse
