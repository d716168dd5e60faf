#include "diffuse/base/system.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace diffuse {
namespace {

TEST(System, PeakMemoryFollowsWhatWasTouched) {
  constexpr std::int64_t kSize = 64 << 20;
  const std::int64_t before = current_rss_bytes();
  {
    std::vector<char> block(kSize, 1);
    EXPECT_GE(current_rss_bytes(), before + kSize * 9 / 10);
    EXPECT_EQ(std::count(block.begin(), block.end(), 1), kSize);
  }
  EXPECT_LT(current_rss_bytes(), before + kSize / 2) << "the block was given back";
  EXPECT_GE(peak_rss_bytes(), before + kSize * 9 / 10) << "the peak remembers it";
}

TEST(System, FiguresArePlausible) {
  EXPECT_GT(current_rss_bytes(), 1 << 20);
  EXPECT_GT(available_memory_bytes(), 1 << 20);
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  EXPECT_FALSE(cpu_model().empty());
  EXPECT_EQ(cpu_model().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace diffuse
