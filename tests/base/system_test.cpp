#include "diffuse/base/system.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <thread>

namespace diffuse {
namespace {

TEST(System, PeakMemoryFollowsWhatWasTouched) {
  // Mapped, not allocated: an allocator may keep what it is given back.
  constexpr std::size_t kSize = 64u << 20;
  const std::int64_t before = current_rss_bytes();
  void* block = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(block, MAP_FAILED);
  const std::int64_t with_block = current_rss_bytes();
  munmap(block, kSize);
  const auto size = static_cast<std::int64_t>(kSize);
  EXPECT_GE(with_block, before + size * 9 / 10);
  EXPECT_LT(current_rss_bytes(), before + size / 2) << "the block was given back";
  EXPECT_GE(peak_rss_bytes(), before + size * 9 / 10) << "the peak remembers it";
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
