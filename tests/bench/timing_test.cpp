#include "diffuse/bench/timing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

using ::testing::Each;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// Contenders whose calls take fixed times on a clock of their own.
struct Course {
  double time_s = 0;
  std::string order;
  std::vector<std::function<void()>> calls;

  void add(char name, double call_s) {
    calls.emplace_back([this, name, call_s] {
      time_s += call_s;
      order += name;
    });
  }
  std::vector<TimedCalls> run(const TimingOptions& options) {
    return time_interleaved(calls, options, [this] { return time_s; });
  }
};

TEST(TimeInterleaved, WarmsUpAndThenTakesTurns) {
  Course course;
  course.add('A', 1.0);
  course.add('B', 1.0);
  const auto timed = course.run({.warm_up_calls = 2, .measure_s = 4});
  EXPECT_EQ(course.order, "AABBABABABAB");
  ASSERT_THAT(timed, SizeIs(2));
  for (const TimedCalls& calls : timed) {
    EXPECT_EQ(calls.warm_up_calls, 2);
    EXPECT_THAT(calls.samples_s, SizeIs(4));
    EXPECT_THAT(calls.samples_s, Each(1.0));
  }
}

TEST(TimeInterleaved, AFastOneIsCalledSeveralTimesATurn) {
  Course course;
  course.add('A', 0.25);
  course.add('B', 1.0);
  course.run({.warm_up_calls = 1, .measure_s = 2, .least_rounds = 2});
  EXPECT_EQ(course.order, "ABAAAABAAAAB");
  Course steep;
  steep.add('A', 1.0 / 1024);
  steep.add('B', 1.0);
  const auto timed = steep.run({.warm_up_calls = 1, .measure_s = 3, .most_calls_a_round = 7});
  EXPECT_THAT(timed[0].samples_s, SizeIs(21));
  EXPECT_THAT(timed[1].samples_s, SizeIs(3));
}

TEST(TimeInterleaved, ASlowOneWarmsUpByTimeAndNeverNotAtAll) {
  Course course;
  course.add('A', 8.0);
  course.add('B', 50.0);
  const auto timed = course.run({.warm_up_calls = 10, .warm_up_s = 20, .measure_s = 8});
  EXPECT_EQ(timed[0].warm_up_calls, 3);
  EXPECT_EQ(timed[1].warm_up_calls, 1);
  EXPECT_THAT(timed[1].samples_s, SizeIs(3)) << "the least";
  Course none;
  none.add('A', 1.0);
  EXPECT_EQ(none.run({.warm_up_calls = 0})[0].warm_up_calls, 1);
}

TEST(TimeInterleaved, TellsItsRounds) {
  Course course;
  course.add('A', 1.0);
  std::string told;
  time_interleaved(
      course.calls, {.warm_up_calls = 1, .measure_s = 3}, [&] { return course.time_s; },
      [&](std::int64_t done, std::int64_t total) {
        told += std::to_string(done) + "/" + std::to_string(total) + " ";
      });
  EXPECT_EQ(told, "1/3 2/3 3/3 ");
  EXPECT_THROW(time_interleaved({}, {}, [] { return 0.0; }), Error);
}

TEST(ExpectedTime, IsThatOfWarmUpAndRounds) {
  const TimingOptions options;
  for (const double call_s : {0.001, 0.5, 3.0, 45.0}) {
    Course course;
    course.add('A', call_s);
    course.run(options);
    EXPECT_NEAR(course.time_s, expected_time_s(options, call_s), 1e-9) << call_s;
  }
  EXPECT_EQ(expected_time_s(options, 45.0), 45.0 * 4);
}

}  // namespace
}  // namespace diffuse
