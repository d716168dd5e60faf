#include "diffuse/base/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace diffuse {
namespace {

TEST(WorkerPool, DoesEachTaskOnceWhateverTheThreads) {
  for (const std::int64_t threads : {1, 2, 5}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(count));
      pool.run(count, [&](std::int64_t task, std::int64_t worker) {
        ++done[static_cast<std::size_t>(task)];
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, threads);
      });
      for (const auto& times : done) EXPECT_EQ(times.load(), 1);
    }
  }
}

TEST(WorkerPool, NoTwoCallsAtATimeHaveTheSameWorker) {
  WorkerPool pool(4);
  std::vector<std::atomic<bool>> busy(4);
  for (int round = 0; round < 200; ++round) {
    pool.run(16, [&](std::int64_t, std::int64_t worker) {
      EXPECT_FALSE(busy[static_cast<std::size_t>(worker)].exchange(true));
      std::this_thread::yield();
      busy[static_cast<std::size_t>(worker)] = false;
    });
  }
}

TEST(WorkerPool, SeesWhatWasWrittenBeforeAndLeavesWhatItWrote) {
  WorkerPool pool(3);
  std::vector<int> values(64, 0);
  for (int round = 1; round <= 500; ++round) {
    pool.run(64,
             [&](std::int64_t task, std::int64_t) { ++values[static_cast<std::size_t>(task)]; });
    for (const int value : values) ASSERT_EQ(value, round);
  }
}

TEST(WorkerPool, ThrowsWhatATaskThrewAndGoesOnAfterwards) {
  WorkerPool pool(2);
  std::atomic<int> ended = 0;
  EXPECT_THROW(pool.run(8,
                        [&](std::int64_t task, std::int64_t) {
                          if (task == 3) throw std::runtime_error("three");
                          ++ended;
                        }),
               std::runtime_error);
  EXPECT_EQ(ended.load(), 7);
  pool.run(8, [&](std::int64_t, std::int64_t) { ++ended; });
  EXPECT_EQ(ended.load(), 15);
}

}  // namespace
}  // namespace diffuse
