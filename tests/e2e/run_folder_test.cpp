// What may be done to a run's folder, and what it holds.

#include <gmock/gmock.h>

#include <csignal>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

TEST(RunFolder, TwoTrainingsNeverShareOne) {
  Workspace workspace;
  Process first(workspace.launch(
      small_run("run", {"--set", "train.length=100000e", "--set", "train.checkpoint_every=1u",
                        "--set", "train.log_every=1"})));
  ASSERT_TRUE(first.wait_for_stderr("update 3  grad"));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"train", "--resume", "run"}, small_run("run", {"--overwrite"})}) {
    const Outcome second = workspace.run(arguments);
    EXPECT_EQ(second.exit_code, 2) << second;
    EXPECT_THAT(second.err, AllOf(HasSubstr("run: another diffuse is training in this folder"),
                                  Not(HasSubstr("rows"))))
        << "before the data is read";
  }
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait().exit_code, 143);
  EXPECT_GT(last_update(workspace.path() / "run"), 2);
}

TEST(RunFolder, OverwriteReplacesARunAndNothingElse) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(small_run("run")).exit_code, 0);
  const Outcome replaced =
      workspace.run(small_run("run", {"--overwrite", "--set", "train.length=3u"}));
  EXPECT_EQ(replaced.exit_code, 0) << replaced;
  EXPECT_EQ(last_update(workspace.path() / "run"), 3);
  EXPECT_FALSE(fs::exists(workspace.path() / "run/checkpoints/000066"));

  workspace.write("run/notes.txt", "mine");
  const Outcome refused = workspace.run(small_run("run", {"--overwrite"}));
  EXPECT_EQ(refused.exit_code, 2) << refused;
  EXPECT_THAT(refused.err,
              HasSubstr("--out run: --overwrite replaces a run, but notes.txt is not part of one"));
  EXPECT_EQ(read_file(workspace.path() / "run/notes.txt"), "mine");
  EXPECT_EQ(last_update(workspace.path() / "run"), 3);
}

TEST(RunFolder, HoldsAReportOfTheTest) {
  const fs::path run = trained_workspace().workspace.path() / "runs/small";
  const std::string page = read_file(run / "report.html");
  EXPECT_THAT(page, AllOf(HasSubstr("<!DOCTYPE html>"), HasSubstr("sport"), HasSubstr("model.dim"),
                          HasSubstr("</html>")));
}

}  // namespace
}  // namespace diffuse::testing
