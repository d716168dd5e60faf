// Nothing outside a training may end it without a checkpoint: signals, readers of the log that
// go away, disks that are full, file systems that cannot do everything.

#include <gmock/gmock.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

/// A training that goes on until it is stopped, reporting each update.
Launch endless(const Workspace& workspace, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"train",
                                        "--config",
                                        "small.json",
                                        "--out",
                                        "run",
                                        "--set",
                                        "train.length=1000000u",
                                        "--set",
                                        "train.evaluate_every=500000u",
                                        "--set",
                                        "train.log_every=1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Launch launch = workspace.launch(arguments);
  launch.own_group = true;
  return launch;
}

bool has_checkpoint(const Workspace& workspace) {
  return fs::exists(workspace.path() / "run/checkpoints/last/state.json");
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TEST(Outside, CtrlCThatEndsTheLogsReaderFirst) {
  const Workspace workspace;
  Process process(endless(workspace));
  ASSERT_TRUE(process.wait_for_stderr("update 3  grad"));
  process.close_error();  // `| tee` dies of the same signal
  process.close_output();
  process.signal_group(SIGINT);
  EXPECT_EQ(process.wait().exit_code, 130);
  EXPECT_TRUE(has_checkpoint(workspace));
  EXPECT_THAT(read_file(workspace.path() / "run/train.log"), HasSubstr("Stopped by SIGINT"));
}

TEST(Outside, CtrlCWhileTheBaselineIsMeasuredLeavesNoFolder) {
  const Workspace workspace;
  Launch launch = with_small_baseline(
      workspace, {"train", "--config", "small.json", "--out", "run", "--baseline", "distilbert"});
  launch.own_group = true;
  Process process(launch);
  ASSERT_TRUE(process.wait_for_stderr("measuring DistilBERT"));
  process.signal_group(SIGINT);  // its process has not begun yet, or has not read the data
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 130) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("Stopped by SIGINT"), Not(HasSubstr("error:"))));
  EXPECT_FALSE(fs::exists(workspace.path() / "run"));
}

TEST(Outside, AReaderThatHasSeenEnough) {
  const Workspace workspace;
  Launch launch = workspace.launch(
      {"train", "--config", "small.json", "--out", "run", "--set", "train.log_every=1"});
  Process process(launch);
  ASSERT_TRUE(process.wait_for_stderr("update 3  grad"));
  process.close_error();  // `2>&1 | head`
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("test accuracy"));
  EXPECT_TRUE(has_checkpoint(workspace));
}

TEST(Outside, NobodyWhoReadsTheSummary) {
  const Workspace workspace;
  Process process(workspace.launch({"train", "--config", "small.json", "--out", "run"}));
  process.close_output();
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("Nobody reads stdout any more"));
  EXPECT_TRUE(fs::exists(workspace.path() / "run/test.json"));
}

TEST(Outside, AClosedTerminal) {
  const Workspace workspace;
  Process process(endless(workspace));
  ASSERT_TRUE(process.wait_for_stderr("update 3  grad"));
  process.signal_group(SIGHUP);
  process.signal_group(SIGHUP);  // the kernel's and the shell's
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 129) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("Stopped by SIGHUP"));
  EXPECT_TRUE(has_checkpoint(workspace));
}

TEST(Outside, CpuTimeThatIsUsedUp) {
  const Workspace workspace;
  Process process(endless(workspace));
  ASSERT_TRUE(process.wait_for_stderr("update 3  grad"));
  process.signal(SIGXCPU);  // as `ulimit -t` and Grid Engine do
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 152) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("Stopped by SIGXCPU"));
  EXPECT_TRUE(has_checkpoint(workspace));
}

TEST(Outside, ANohupTrainingOutlivesItsTerminal) {
  const Workspace workspace;
  std::signal(SIGHUP, SIG_IGN);  // what nohup leaves to the program
  Process process(endless(workspace));
  std::signal(SIGHUP, SIG_DFL);
  ASSERT_TRUE(process.wait_for_stderr("update 3  grad"));
  process.signal_group(SIGHUP);
  process.signal_group(SIGUSR1);
  ASSERT_TRUE(process.wait_for_stderr("SIGUSR1: the checkpoint of update"));
  process.signal_group(SIGUSR2);
  ASSERT_TRUE(process.wait_for_stderr("SIGUSR2: the checkpoint of update"));
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().exit_code, 143);
}

TEST(Outside, AWarningOfAJobManagerIsACheckpoint) {
  const Workspace workspace;
  Process process(endless(workspace));
  ASSERT_TRUE(process.wait_for_stderr("update 3  grad"));
  EXPECT_FALSE(has_checkpoint(workspace));
  process.signal(SIGUSR1);
  ASSERT_TRUE(process.wait_for_stderr("is written, the training goes on"));
  EXPECT_TRUE(has_checkpoint(workspace));
  const fs::path state = workspace.path() / "run/checkpoints/last/state.json";
  const std::string first = read_file(state);
  const auto saved = nlohmann::json::parse(first).at("update").get<int>();
  ASSERT_TRUE(process.wait_for_stderr("update " + std::to_string(saved + 1) + "  grad"));
  process.signal(SIGTERM);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 143) << outcome;
  EXPECT_NE(read_file(state), first);
}

TEST(Outside, AFullDiskTakesTheLogsAndNotTheTraining) {
  const Workspace workspace;
  Launch launch = workspace.launch({"train", "--config", "small.json", "--out", "run", "--set",
                                    "train.length=600u", "--set", "train.log_every=1", "--set",
                                    "train.tensorboard=true", "--set", "data.cache=false"});
  launch.file_size_bytes = 60'000;  // a checkpoint's files fit
  const Outcome outcome = testing::run(launch);
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("test accuracy"));
  EXPECT_EQ(count(outcome.err, "the log file is closed, it cannot be written"), 1U) << outcome;
  EXPECT_EQ(count(outcome.err, "The training goes on; every line is tried anew."), 1U) << outcome;
  EXPECT_EQ(count(outcome.err, "The training goes on without TensorBoard."), 1U) << outcome;
  EXPECT_EQ(count(outcome.err, "report.html was not written"), 1U) << outcome;
  EXPECT_EQ(workspace.run({"eval", "--checkpoint", "run"}).exit_code, 0);
  EXPECT_EQ(workspace.run({"train", "--resume", "run", "--dry-run"}).exit_code, 0);
}

/// Weights for which there is no room on the disk, where there is for all else.
Launch without_room(const Workspace& workspace, std::vector<std::string> settings) {
  std::vector<std::string> arguments = {"train", "--config", "small.json", "--out", "run"};
  settings.insert(settings.end(), {"model.dim=1024", "data.cache=false"});
  for (const std::string& setting : settings) {
    arguments.emplace_back("--set");
    arguments.push_back(setting);
  }
  Launch launch = workspace.launch(arguments);
  launch.file_size_bytes = 150'000;
  return launch;
}

TEST(Outside, ACheckpointThatDoesNotFitIsAFailureAtTheEndAlone) {
  const Workspace workspace;
  const Outcome outcome = testing::run(without_room(workspace, {"train.length=3e"}));
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("warning: The checkpoint of update 11 was not written: "),
                    HasSubstr("File too large"),
                    HasSubstr("error: The checkpoint at the end, of update 33, was not written: "),
                    HasSubstr("There is none.")));
  EXPECT_THAT(tree(workspace.path() / "run/checkpoints"), ::testing::IsEmpty());
  EXPECT_TRUE(fs::exists(workspace.path() / "run/report.html"));
}

TEST(Outside, AStoppedRunWhoseCheckpointDoesNotFitWasStoppedAllTheSame) {
  const Workspace workspace;
  Process process(without_room(
      workspace, {"train.length=100000u", "train.log_every=1", "train.evaluate_every=50000u"}));
  ASSERT_TRUE(process.wait_for_stderr("update 2  grad"));
  process.signal(SIGTERM);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 143) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("error: The checkpoint at the end, of update "));
  EXPECT_TRUE(fs::exists(workspace.path() / "run/report.html"));
}

TEST(Outside, AResumeOnAFullDiskTrainsAndWarns) {
  const Workspace workspace;
  const Outcome first = workspace.run(
      {"train", "--config", "small.json", "--out", "run", "--set", "train.max_updates=3"});
  ASSERT_EQ(first.exit_code, 0) << first;
  const std::string manifest = read_file(workspace.path() / "run/manifest.json");
  Launch launch =
      workspace.launch({"train", "--resume", "run", "--set", "train.max_updates=6", "--json"});
  launch.file_size_bytes = 10;
  const Outcome outcome = testing::run(launch);
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("warning: A further resume will take the run's configuration from before"),
            HasSubstr("warning: The run's manifest does not tell of this resume: "),
            HasSubstr("going on after update 3"),
            HasSubstr("error: The checkpoint at the end, of update 6, was not written: ")));
  EXPECT_EQ(read_file(workspace.path() / "run/manifest.json"), manifest);
  EXPECT_EQ(workspace.run({"train", "--resume", "run"}).exit_code, 0);
}

TEST(Outside, TestFiguresThatCannotBeWrittenAreStillPrinted) {
  const Workspace workspace;
  const auto train = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "train");
    return workspace.run(arguments);
  };
  ASSERT_EQ(
      train({"--config", "small.json", "--out", "run", "--set", "train.max_updates=3"}).exit_code,
      0);
  fs::remove(workspace.path() / "run/test.json");
  workspace.write("run/test.json/x", "in the way");
  const Outcome outcome = train({"--resume", "run", "--set", "train.max_updates=6"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("warning: The test figures are on stdout alone: "));
  EXPECT_THAT(outcome.out, HasSubstr("test accuracy"));
}

#ifndef __SANITIZE_ADDRESS__  // it must be loaded before anything else
TEST(Outside, AFileSystemWithoutLinksLocksAndFolderSync) {
  const Workspace workspace;
  const auto run_poor = [&](const std::vector<std::string>& arguments) {
    Launch launch = workspace.launch(arguments);
    launch.environment.emplace_back("LD_PRELOAD", DIFFUSE_POOR_FILE_SYSTEM);
    return testing::run(launch);
  };
  const Outcome first = run_poor(
      {"train", "--config", "small.json", "--out", "run", "--set", "train.max_updates=22"});
  ASSERT_EQ(first.exit_code, 0) << first;
  EXPECT_EQ(count(first.err, "no symbolic link can be made here"), 1U) << first;
  EXPECT_EQ(count(first.err, "the folder cannot be locked here"), 1U) << first;
  EXPECT_EQ(count(first.err, "the file system cannot make sure"), 1U) << first;
  const fs::path checkpoints = workspace.path() / "run/checkpoints";
  EXPECT_EQ(read_file(checkpoints / "last"), "000022\n");
  EXPECT_TRUE(fs::is_regular_file(checkpoints / "best"));
  for (const char* checkpoint : {"run", "run/checkpoints/best", "run/checkpoints/last"}) {
    const Outcome eval = run_poor({"eval", "--checkpoint", checkpoint});
    EXPECT_EQ(eval.exit_code, 0) << eval;
  }
  const Outcome more = run_poor({"train", "--resume", "run", "--set", "train.max_updates=33"});
  EXPECT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, AllOf(HasSubstr("going on after update 22"), Not(HasSubstr("error:"))));
  EXPECT_EQ(read_file(checkpoints / "last"), "000033\n");
}
#endif

}  // namespace
}  // namespace diffuse::testing
