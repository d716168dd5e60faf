#include "diffuse/base/child_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "diffuse/base/error.hpp"

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

TEST(RunChild, AMissingProgramIsNamed) {
  EXPECT_THAT(
      [] { run_child("/nowhere/program", {}, ""); },
      ThrowsMessage<SystemError>(HasSubstr("/nowhere/program: cannot be started: No such")));
}

TEST(OwnProgram, IsThisTest) { EXPECT_THAT(own_program(), EndsWith("base_tests")); }

}  // namespace
}  // namespace diffuse
