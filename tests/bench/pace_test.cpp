#include "bench/pace.hpp"

#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

TEST(Pace, ExpectsWhatWasSeenLast) {
  Pace pace;
  const Pace::Key ours{Pace::Side::ours, BenchMode::train, Precision::fp32, "cpu", 2};
  Pace::Key other = ours;
  other.side = Pace::Side::other;
  EXPECT_FALSE(pace.known(ours));
  EXPECT_THROW(pace.expected_s(ours, 1), Error);
  pace.note(ours, 100, 2);
  EXPECT_DOUBLE_EQ(pace.expected_s(ours, 25), 0.5);
  pace.note(ours, 100, 4);
  EXPECT_DOUBLE_EQ(pace.expected_s(ours, 25), 1);
  EXPECT_FALSE(pace.known(other));
}

TEST(Pace, CountsOperationsOrElseTokens) {
  EXPECT_EQ(work_units(5e9, 100), 5e9);
  EXPECT_EQ(work_units(std::nullopt, 100), 100);
}

}  // namespace
}  // namespace diffuse
