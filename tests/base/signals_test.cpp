#include "diffuse/base/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

namespace diffuse {
namespace {

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
