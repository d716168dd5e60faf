#include "diffuse/base/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <thread>

namespace diffuse {
namespace {

/// Two threads that raise SIGTERM at about the same moment, again and again: now one of them is a
/// little later, now the other.
class TwoRaisers {
 public:
  explicit TwoRaisers(int rounds) : rounds_(rounds) {}

  /// Whether the flag was set each time.
  bool run() {
    const std::jthread other([this] { raise_rounds(1); });
    raise_rounds(0);
    return told_;
  }

 private:
  void raise_rounds(int thread) {
    for (int round = 0; round < rounds_; ++round) {
      if (thread == 0) clear_stop_signal();
      wait_for_both();
      const int later = round % 2 == thread ? round / 2 % 100 * 5 : 0;
      for (int i = 0; i < later; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
      raise(SIGTERM);
      if (stop_signal() != SIGTERM) told_ = false;
      wait_for_both();
    }
  }

  void wait_for_both() {
    const int arrival = arrived_.fetch_add(1);
    const int all = arrival - arrival % 2 + 2;
    // Awake, so that both go on within nanoseconds; but not for long, on a machine that is busy.
    constexpr int kLooks = 10'000;
    for (int looks = 0; arrived_.load() < all; ++looks)
      if (looks > kLooks) std::this_thread::yield();
  }

  int rounds_;
  std::atomic<int> arrived_{0};
  std::atomic<bool> told_{true};
};

// Each in a process of its own: a handler belongs to the whole process.
TEST(StopSignals, TheFirstOnlySetsTheFlag) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        if (stop_signal() != 0) std::exit(1);
        raise(SIGINT);
        std::exit(stop_signal() == SIGINT ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, TheSecondEndsTheProcess) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        raise(SIGINT);
        usleep(300'000);
        raise(SIGINT);
      },
      ::testing::ExitedWithCode(130), "");
  EXPECT_EXIT(
      {
        catch_stop_signals();
        raise(SIGINT);
        raise(SIGTERM);
      },
      ::testing::ExitedWithCode(143), "");
}

TEST(StopSignals, TheSameOneToldTwiceAtOnceIsOne) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        raise(SIGTERM);  // as `timeout` does: to the process, and to its group
        raise(SIGTERM);
        std::exit(stop_signal() == SIGTERM ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, TheSameOneToldToTwoThreadsAtOnceIsOne) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        std::exit(TwoRaisers(5000).run() ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, AClosedTerminalSendsSeveralAndIsNoSecondOne) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        raise(SIGHUP);
        usleep(300'000);
        raise(SIGHUP);
        raise(SIGTERM);  // the first that is meant to end it
        std::exit(stop_signal() == SIGHUP ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
  EXPECT_EXIT(
      {
        catch_stop_signals();
        raise(SIGINT);
        raise(SIGHUP);
        std::exit(stop_signal() == SIGINT ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, AnIgnoredHangupStaysIgnored) {
  EXPECT_EXIT(
      {
        signal(SIGHUP, SIG_IGN);  // nohup
        catch_stop_signals();
        raise(SIGHUP);
        std::exit(stop_signal() == 0 ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, CpuTimeThatIsUsedUpIsToldEverySecond) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        raise(SIGXCPU);
        usleep(300'000);
        raise(SIGXCPU);
        std::exit(stop_signal() == SIGXCPU ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, AHardLimitOfCpuTimeIsToldBefore) {
  EXPECT_EXIT(
      {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = 1000;  // ulimit -t 1000
        setrlimit(RLIMIT_CPU, &limit);
        catch_stop_signals();
        getrlimit(RLIMIT_CPU, &limit);
        std::exit(limit.rlim_cur == 940 && limit.rlim_max == 1000 ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
  EXPECT_EXIT(
      {
        rlimit limit{};
        limit.rlim_cur = 990;
        limit.rlim_max = 1000;
        setrlimit(RLIMIT_CPU, &limit);
        catch_stop_signals();
        getrlimit(RLIMIT_CPU, &limit);
        std::exit(limit.rlim_cur == 990 ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, HaveNames) {
  EXPECT_EQ(signal_name(SIGXCPU), "SIGXCPU");
  EXPECT_EQ(signal_name(SIGHUP), "SIGHUP");
  EXPECT_EQ(signal_name(SIGINT), "SIGINT");
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGUSR1), "SIGUSR1");
  EXPECT_EQ(signal_name(SIGUSR2), "SIGUSR2");
  EXPECT_EQ(signal_name(SIGALRM), "signal 14");
}

TEST(CheckpointSignals, AreOneRequestEach) {
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    EXPECT_EXIT(
        {
          catch_checkpoint_signals();
          if (take_checkpoint_signal() != 0) std::exit(1);
          raise(signal);
          if (take_checkpoint_signal() != signal) std::exit(2);
          std::exit(take_checkpoint_signal() != 0 || stop_signal() != 0 ? 3 : 42);
        },
        ::testing::ExitedWithCode(42), "");
  }
}

TEST(WriteSignals, BecomeErrors) {
  EXPECT_EXIT(
      {
        ignore_write_signals();
        int ends[2];
        if (pipe(ends) != 0) std::exit(1);
        close(ends[0]);
        const bool refused = write(ends[1], "x", 1) == -1 && errno == EPIPE;
        raise(SIGXFSZ);
        std::exit(refused ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, CanBeCleared) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        raise(SIGTERM);
        clear_stop_signal();
        if (stop_signal() != 0) std::exit(1);
        raise(SIGTERM);
        std::exit(stop_signal() == SIGTERM ? 42 : 2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(StopSignals, AreNotCaughtUnasked) {
  EXPECT_EXIT(
      {
        signal(SIGTERM, SIG_DFL);
        raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace diffuse
