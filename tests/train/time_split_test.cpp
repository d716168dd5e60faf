#include "diffuse/train/time_split.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace diffuse {
namespace {

/// A host that queues work on a device and goes on: the device takes ten times as long.
class FakeDevice {
 public:
  StepClock::Source source() {
    return {[this] { return now_s_; },
            [this] {
              ++synchronisations;
              now_s_ = std::max(now_s_, device_done_s_);
            }};
  }
  /// Queues `device_s` of work, for which the host takes a tenth.
  void queue(double device_s) {
    now_s_ += device_s / 10;
    device_done_s_ = std::max(device_done_s_, now_s_) + device_s;
  }
  void drain() { now_s_ = std::max(now_s_, device_done_s_); }
  double now_s() const { return now_s_; }

  int synchronisations = 0;

 private:
  double now_s_ = 100;
  double device_done_s_ = 0;
};

constexpr double kForward_s = 3;
constexpr double kBackward_s = 6;
constexpr double kOptimizer_s = 1;

void run_update(FakeDevice& device, StepClock& clock, double start_up_s = 0) {
  clock.begin_update();
  clock.enter(StepClock::Phase::forward);
  device.queue(kForward_s + start_up_s);
  clock.enter(StepClock::Phase::backward);
  device.queue(kBackward_s);
  clock.enter(StepClock::Phase::optimizer);
  device.queue(kOptimizer_s);
  clock.end_update();
}

void end_period(FakeDevice& device, StepClock& clock) {
  clock.wait_for_updates([&] { device.drain(); });
}

TEST(StepClock, EveryPeriodOfAGpuHasItsTime) {
  // Shorter than a round, a round, and more than one.
  for (const int updates : {1, 2, 7, 50, 120}) {
    FakeDevice device;
    StepClock clock(device.source(), /*sample_every=*/50);
    for (int period = 0; period < 3; ++period) {
      const double start_s = device.now_s();
      for (int update = 0; update < updates; ++update) run_update(device, clock);
      end_period(device, clock);
      const double whole_s = device.now_s() - start_s;
      const HistoryTime time = clock.take();
      EXPECT_NEAR(time.updates_s(), whole_s, 1e-9) << updates << " updates";
      ASSERT_TRUE(time.forward_s && time.backward_s) << updates;
      EXPECT_FALSE(time.forward_backward_s);
      EXPECT_NEAR(*time.backward_s, *time.forward_s * kBackward_s / kForward_s, 0.05 * whole_s);
      EXPECT_GT(time.optimizer_s, 0) << updates;
    }
  }
}

TEST(StepClock, TheFirstUpdateOfAPeriodCountsOnlyWhereItIsTheOnlyOne) {
  FakeDevice device;
  StepClock clock(device.source(), 50);
  run_update(device, clock, /*start_up_s=*/100);
  run_update(device, clock);
  end_period(device, clock);
  const HistoryTime two = clock.take();
  EXPECT_NEAR(*two.backward_s, *two.forward_s * kBackward_s / kForward_s, 1e-9);
  run_update(device, clock, 97);
  end_period(device, clock);
  const HistoryTime one = clock.take();
  EXPECT_NEAR(*one.forward_s, 100 * one.optimizer_s, 1e-6);
}

TEST(StepClock, WaitsForTheDeviceRarely) {
  FakeDevice device;
  StepClock clock(device.source(), 50);
  for (int update = 0; update < 200; ++update) run_update(device, clock);
  // The first two and four ends of a round, five borders each.
  EXPECT_EQ(device.synchronisations, 6 * 5);
}

TEST(StepClock, WithoutAnUpdateThereIsNoTime) {
  FakeDevice device;
  StepClock clock(device.source(), 50);
  clock.add_evaluation(2);
  const HistoryTime time = clock.take();
  EXPECT_EQ(time.updates_s(), 0);
  EXPECT_EQ(time.sum_s(), 2);
}

}  // namespace
}  // namespace diffuse
