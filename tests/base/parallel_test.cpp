#include "diffuse/base/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace diffuse {
namespace {

TEST(ParallelFor, CoversEveryIndexOnce) {
  for (const std::size_t count : {1u, 2u, 3u, 7u, 100u, 1001u}) {
    for (const int threads : {-1, 0, 1, 2, 3, 8, 200}) {
      std::vector<std::atomic<int>> seen(count);
      std::atomic<int> parts = 0;
      parallel_for(count, threads, [&](std::size_t begin, std::size_t end) {
        ASSERT_LT(begin, end);
        ASSERT_LE(end, count);
        ++parts;
        for (std::size_t i = begin; i < end; ++i) ++seen[i];
      });
      for (const auto& times : seen) EXPECT_EQ(times, 1);
      EXPECT_LE(parts, std::max(threads, 1));
    }
  }
}

TEST(ParallelFor, DoesNothingForNothing) {
  parallel_for(0, 4, [](std::size_t, std::size_t) { FAIL(); });
}

TEST(ParallelFor, UsesSeveralThreads) {
  std::mutex mutex;
  std::set<std::thread::id> ids;
  parallel_for(4, 4, [&](std::size_t, std::size_t) {
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(ids.size(), 4u);
}

TEST(ParallelFor, ThrowsTheExceptionOfTheFirstPartAfterAllEnded) {
  std::atomic<int> finished = 0;
  try {
    parallel_for(4, 4, [&](std::size_t begin, std::size_t) {
      // The later part fails earlier in time.
      if (begin == 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (begin == 1 || begin == 3) throw std::runtime_error("part " + std::to_string(begin));
      ++finished;
    });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "part 1");
  }
  EXPECT_EQ(finished, 2);
}

TEST(ParallelFor, ThrowsFromTheCallersThreadToo) {
  EXPECT_THROW(
      parallel_for(5, 1, [](std::size_t, std::size_t) { throw std::logic_error("alone"); }),
      std::logic_error);
}

}  // namespace
}  // namespace diffuse
