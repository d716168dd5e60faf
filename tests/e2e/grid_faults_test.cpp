// What `diffuse grid` refuses, and what it says.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// What `diffuse grid --config small.json` with `more` says on stderr; it must fail with 2.
std::string error_of(const Workspace& workspace, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"grid", "--config", "small.json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = workspace.run(arguments);
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_FALSE(fs::exists(workspace.path() / "runs"));
  return outcome.err;
}

TEST(GridMistakes, AreToldBeforeAnythingIsTrained) {
  const Workspace workspace;
  EXPECT_THAT(error_of(workspace, {}),
              HasSubstr("There is nothing to compare: give values to combine (--grid FILE, --vary "
                        "model.dim=64,128), or --seeds N for several seeds of one config."));
  workspace.write("g.json", R"({"model.dmi": [8], "train.patience": 3})");
  EXPECT_THAT(error_of(workspace, {"--grid", "g.json"}),
              AllOf(HasSubstr("g.json: model.dmi: unknown key; did you mean \"model.dim\"?"),
                    HasSubstr("g.json: train.patience: 3 is a number; expected a list of values")));
  EXPECT_THAT(error_of(workspace, {"--grid", "none.json"}), HasSubstr("none.json: "));
  EXPECT_THAT(error_of(workspace, {"--seeds", "0"}), HasSubstr("--seeds"));
  EXPECT_THAT(error_of(workspace, {"--vary", "train.device=cpu,cuda:99"}),
              HasSubstr("(with train.device = cuda:99)"));
  EXPECT_THAT(error_of(workspace, {"--vary", "model.dim=8,16", "--set", "data.test=", "--test"}),
              HasSubstr("--test: the config names no test rows; --set data.test=FILE or --set "
                        "data.test_fraction=0.2 does."));
  for (const char* fraction : {"0", "-1"})
    EXPECT_THAT(error_of(workspace, {"--vary", "model.dim=8,16", "--set",
                                     std::string("data.validation_fraction=") + fraction}),
                HasSubstr("The config sets no validation rows aside, on which combinations are "
                          "compared: --set data.validation_fraction=0.2 does, or --validation "
                          "FILE."));
}

TEST(GridMistakes, OfResume) {
  const Workspace workspace;
  ASSERT_EQ(workspace
                .run({"grid", "--config", "small.json", "--vary", "model.dim=2,4", "--out", "g",
                      "--set", "train.length=2u"})
                .exit_code,
            0);
  ASSERT_EQ(workspace.run({"train", "--config", "small.json", "--out", "t"}).exit_code, 0);
  const auto error = [&](std::vector<std::string> arguments) {
    const Outcome outcome = workspace.run(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    return outcome.err;
  };
  EXPECT_THAT(error({"grid", "--resume", "g", "--vary", "model.dim=8", "--keep-checkpoints"}),
              HasSubstr("--resume goes on with the combinations that the folder has; --vary, "
                        "--keep-checkpoints cannot stand beside it."));
  EXPECT_THAT(error({"grid", "--resume", "t"}),
              HasSubstr("--resume t: this is no folder of `diffuse grid`; one training goes on "
                        "with `diffuse train --resume`."));
  EXPECT_THAT(error({"train", "--resume", "g"}),
              HasSubstr("--resume g: this is a folder of `diffuse grid`, which goes on with "
                        "`diffuse grid --resume`."));
  EXPECT_THAT(error({"grid", "--config", "small.json", "--seeds", "2", "--out", "g"}),
              HasSubstr("--out g: the folder is not empty"));
  workspace.write("train.csv", easy_csv(240));
  EXPECT_THAT(error({"grid", "--resume", "g", "--seeds", "2"}),
              HasSubstr("The content of data.train is not what the run began with."));
  workspace.write("g/results.jsonl", "{\"combination\": 9, \"seed\": 1}\n");
  workspace.write("train.csv", easy_csv(210));
  EXPECT_THAT(error({"grid", "--resume", "g"}),
              HasSubstr("g/results.jsonl:1: combination is 9; expected 1 to 2"));
  workspace.write("g/grid.json", "{\"seeds\": 0, \"keep_checkpoints\": false}");
  EXPECT_THAT(error({"grid", "--resume", "g"}),
              HasSubstr("g/grid.json: expected at least one seed, and the values as \"grid\""));
}

TEST(GridMistakes, ACombinationWithOtherValidationRowsIsNamed) {
  const Workspace workspace;
  // Without the class in training a validation row of it is a bad one.
  std::string two;
  for (const std::string& line : lines_of(easy_csv(210)))
    if (!line.starts_with("weather")) two.append(line).append("\n");
  workspace.write("two.csv", two);
  workspace.write("valid.csv", easy_csv(30, 2000));
  const Outcome outcome =
      workspace.run({"grid", "--config", "small.json", "--out", "g", "--validation", "valid.csv",
                     "--set", "data.validation_fraction=-1", "--set", "data.on_error=skip", "--set",
                     "train.length=2u", "--vary", "data.train=train.csv,two.csv"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("seed 1: 20 rows validate, and not the 30 that do with data.train = "),
            HasSubstr("expected rows that every combination can use, or a new grid.")));
}

TEST(GridMistakes, AGridIsNoModel) {
  const Workspace workspace;
  ASSERT_EQ(
      workspace.run({"grid", "--config", "small.json", "--out", "g", "--seeds", "2"}).exit_code, 0);
  for (const char* verb : {"eval", "predict"}) {
    const Outcome outcome = workspace.run({verb, "--checkpoint", "g"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("'g' is a grid of many models; name one of them, g/runs/"));
  }
  EXPECT_EQ(workspace.run({"eval", "--checkpoint", "g/runs/001-seed1"}).exit_code, 0);
}

TEST(GridMistakes, OverwriteReplacesAGridWithItsRunsButNoFolderOfRuns) {
  const Workspace workspace;
  const std::vector<std::string> small = {"grid", "--config",   "small.json",      "--seeds",
                                          "2",    "--set",      "train.length=2u", "--out",
                                          "g",    "--overwrite"};
  ASSERT_EQ(workspace.run(small).exit_code, 0);
  const Outcome again = workspace.run(small);
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.err, Not(HasSubstr("done before")));
  fs::create_directories(workspace.path() / "other/runs/precious");
  const Outcome refused =
      workspace.run({"train", "--config", "small.json", "--out", "other", "--overwrite"});
  EXPECT_EQ(refused.exit_code, 2) << refused;
  EXPECT_THAT(refused.err, HasSubstr("--overwrite replaces a run, but runs is not part of one"));
}

TEST(GridPlan, DryRunListsTheCombinationsAndWritesNothing) {
  const Workspace workspace;
  const std::vector<std::string> before = tree(workspace.path());
  const Outcome text = workspace.run({"grid", "--config", "small.json", "--vary", "model.dim=8,16",
                                      "--vary", "train.length=3e", "--seeds", "3", "--dry-run"});
  ASSERT_EQ(text.exit_code, 0) << text;
  EXPECT_EQ(text.out,
            "#  model.dim  train.length\n"
            "1  8          3e\n"
            "2  16         3e\n"
            "\n"
            "6 runs: 2 combinations, seeds 1 to 3; compared on 42 validation rows\n");
  const Outcome json = workspace.run(
      {"grid", "--config", "small.json", "--vary", "model.dim=8,16", "--dry-run", "--json"});
  ASSERT_EQ(json.exit_code, 0) << json;
  const Json plan = Json::parse(json.out);
  EXPECT_EQ(plan.at("runs"), 2);
  EXPECT_EQ(plan.at("seeds"), Json({1}));
  EXPECT_EQ(plan.at("combinations").at(1), Json({{"model.dim", 16}}));
  EXPECT_EQ(tree(workspace.path()), before);
}

}  // namespace
}  // namespace diffuse::testing
