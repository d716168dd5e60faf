#include "diffuse/base/child_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "diffuse/base/error.hpp"
#include "diffuse/base/signals.hpp"

namespace diffuse {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(RunChild, PassesArgumentsInputAndOutput) {
  const ChildOutcome outcome = run_child("/bin/sh", {"-c", "echo \"$1\"; cat", "x", "a b"}, "in\n");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(outcome.out, "a b\nin\n");
}

TEST(RunChild, MoreThanAPipeHoldsGoesBothWays) {
  const std::string input(3'000'000, 'x');
  EXPECT_EQ(run_child("/bin/cat", {}, input).out, input);
}

TEST(RunChild, TellsHowItEnded) {
  EXPECT_EQ(run_child("/bin/sh", {"-c", "exit 7"}, "").exit_code, 7);
  const ChildOutcome killed = run_child("/bin/sh", {"-c", "kill -KILL $$"}, "");
  EXPECT_EQ(killed.exit_code, -1);
  EXPECT_EQ(killed.signal, SIGKILL);
}

TEST(RunChild, AChildThatReadsNothingIsNoEnd) {
  EXPECT_EQ(run_child("/bin/sh", {"-c", "echo done"}, std::string(3'000'000, 'x')).out, "done\n");
}

TEST(RunChild, ALimitEndsIt) {
  const auto start = std::chrono::steady_clock::now();
  const ChildOutcome late = run_child("/bin/sh", {"-c", "echo begun; exec sleep 100"}, "", 0.2);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(50));
  EXPECT_TRUE(late.timed_out);
  EXPECT_EQ(late.signal, SIGKILL);
  EXPECT_EQ(late.out, "");
  EXPECT_TRUE(run_child("/bin/sh", {"-c", "while :; do echo more; done"}, "", 0.2).timed_out);
  const ChildOutcome soon = run_child("/bin/sh", {"-c", "echo done"}, "", 100);
  EXPECT_FALSE(soon.timed_out);
  EXPECT_EQ(soon.out, "done\n");
}

TEST(RunChild, IsInAProcessGroupOfItsOwn) {
  // What a terminal sends on Ctrl-C goes to the group of this process.
  const std::string out =
      run_child("/bin/sh", {"-c", "echo $$; cut -d' ' -f5 /proc/$$/stat"}, "").out;
  const std::size_t end = out.find('\n');
  EXPECT_EQ(out.substr(end + 1), out.substr(0, end) + "\n");
  EXPECT_NE(std::stoi(out), getpgrp());
}

TEST(RunChild, HasSignalsThatThisProcessIgnores) {
  EXPECT_EXIT(
      {
        ignore_write_signals();
        const ChildOutcome outcome = run_child("/bin/sh", {"-c", "kill -PIPE $$; echo alive"}, "");
        std::exit(outcome.signal == SIGPIPE && outcome.out.empty() ? 42 : 1);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(RunChild, AStopSignalEndsItAndIsPassedOn) {
  EXPECT_EXIT(
      {
        catch_stop_signals();
        std::thread([] {
          std::this_thread::sleep_for(std::chrono::milliseconds(200));
          kill(getpid(), SIGINT);
        }).detach();
        try {
          // The child's own child goes, too: it would keep the pipe open.
          run_child("/bin/sh", {"-c", "sleep 100; sleep 100"}, "");
        } catch (const Stopped& stopped) {
          std::_Exit(stopped.signal == SIGINT ? 42 : 1);
        }
        std::_Exit(2);
      },
      ::testing::ExitedWithCode(42), "");
}

TEST(RunChild, AMissingProgramIsNamed) {
  EXPECT_THAT(
      [] { run_child("/nowhere/program", {}, ""); },
      ThrowsMessage<SystemError>(HasSubstr("/nowhere/program: cannot be started: No such")));
}

TEST(OwnProgram, IsThisTest) { EXPECT_THAT(own_program(), EndsWith("base_tests")); }

}  // namespace
}  // namespace diffuse
