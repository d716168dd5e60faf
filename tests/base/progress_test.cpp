#include "diffuse/base/progress.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "base/terminal.hpp"

namespace diffuse {
namespace {

TEST(FormatDuration, ChoosesTheUnits) {
  EXPECT_EQ(format_duration(0), "0.0s");
  EXPECT_EQ(format_duration(6.74), "6.7s");
  EXPECT_EQ(format_duration(59.94), "59.9s");
  EXPECT_EQ(format_duration(59.96), "1m 00s");
  EXPECT_EQ(format_duration(245), "4m 05s");
  EXPECT_EQ(format_duration(3599.7), "1h 00m 00s");
  EXPECT_EQ(format_duration(3723), "1h 02m 03s");
  EXPECT_EQ(format_duration(360'000), "100h 00m 00s");
  EXPECT_EQ(format_duration(-245), "-4m 05s");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "n/a");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "n/a");
}

TEST(FormatBytes, CountsInThousands) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(12'345'678), "12.3 MB");
  EXPECT_EQ(format_bytes(999'960), "1.0 MB");
  EXPECT_EQ(format_bytes(4.6e9), "4.6 GB");
  EXPECT_EQ(format_bytes(2e12), "2.0 TB");
  EXPECT_EQ(format_bytes(5e18), "5000.0 PB");
}

TEST(FormatCount, SeparatesThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_count(-100), "-100");
  EXPECT_EQ(format_count(-123'456), "-123,456");
  EXPECT_EQ(format_count(std::numeric_limits<long long>::min()), "-9,223,372,036,854,775,808");
}

TEST(RemainingTime, IsProportional) {
  EXPECT_DOUBLE_EQ(remaining_s(10, 25, 100), 30);
  EXPECT_DOUBLE_EQ(remaining_s(10, 100, 100), 0);
  EXPECT_LT(remaining_s(10, 0, 100), 0);
}

TEST(ProgressLine, IsInvisibleWithoutATerminal) {
  ::testing::internal::CaptureStderr();
  {
    ProgressLine line;
    EXPECT_FALSE(line.visible());
    line.update("x");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(ProgressLine, OverwritesItselfAndGoesAway) {
  const std::string text = testing::on_terminal([] {
    ProgressLine line;
    line.update("one");
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    line.update("two");
  });
  EXPECT_EQ(text, "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K");
}

TEST(ProgressLine, SkipsUpdatesThatFollowAtOnce) {
  const std::string text = testing::on_terminal([] {
    ProgressLine line;
    line.update("one");
    line.update("two");
    line.clear();
    line.update("three");  // nothing is shown, so there is nothing to wait for
  });
  EXPECT_EQ(text, "\r\x1b[Kone\r\x1b[K\r\x1b[Kthree\r\x1b[K");
}

TEST(ProgressLine, IsCutToTheTerminalsWidth) {
  const std::string text = testing::on_terminal(
      [] {
        ProgressLine line;
        line.update("éé234567890123");
      },
      10);
  EXPECT_EQ(text, "\r\x1b[Kéé2345678\r\x1b[K") << "the last column stays free, or lines wrap";
}

TEST(ProgressLine, IsInvisibleOnADumbTerminal) {
  EXPECT_EQ(testing::on_terminal([] {
              setenv("TERM", "dumb", 1);
              ProgressLine().update("x");
            }),
            "");
}

}  // namespace
}  // namespace diffuse
