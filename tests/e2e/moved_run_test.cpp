// Runs and checkpoints that were moved, copied, renamed, made longer, or made by another program.

#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

/// A project folder with data and a run of five updates, which is renamed.
class MovedRun : public ::testing::Test {
 protected:
  MovedRun() {
    workspace_.write("old/data/train.csv", easy_csv(210, 500));
    workspace_.write("old/data/test.csv", easy_csv(60, 1000));
    const Outcome outcome =
        train({"--config", "small.json", "--train", "old/data/train.csv", "--test",
               "old/data/test.csv", "--out", "old/runs/a", "--set", "train.max_updates=5"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
  }

  Outcome train(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "train");
    return workspace_.run(arguments);
  }
  Outcome resume(const std::string& run, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"--resume", run, "--set", "train.max_updates=9"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return train(arguments);
  }
  fs::path at(const std::string& name) const { return workspace_.path() / name; }

  Workspace workspace_;
};

TEST_F(MovedRun, TogetherWithItsDataGoesOn) {
  fs::rename(at("old"), at("new"));
  const Outcome outcome = resume("new/runs/a");
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("data.train: " + at("old/data/train.csv").string() + " has gone; "),
            HasSubstr("new/data/train.csv has its content"), HasSubstr("going on after update 5")));
  EXPECT_THAT(outcome.out, HasSubstr("test accuracy"));
  // From now on it is where it is.
  const Outcome again = resume("new/runs/a", {"--dry-run"});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_THAT(again.err, Not(HasSubstr("has gone")));
}

TEST_F(MovedRun, AloneGoesOn) {
  fs::create_directories(at("elsewhere"));
  fs::rename(at("old/runs/a"), at("elsewhere/b"));
  EXPECT_EQ(resume("elsewhere/b").exit_code, 0);
}

TEST_F(MovedRun, DataElsewhereAreNamedByTheirFlags) {
  fs::rename(at("old/data/train.csv"), at("texts.csv"));
  const Outcome lost = resume("old/runs/a");
  EXPECT_EQ(lost.exit_code, 2) << lost;
  EXPECT_THAT(lost.err, AllOf(HasSubstr("data.train"), HasSubstr("cannot be read"),
                              HasSubstr("A file that was moved goes with --resume, too: --train")));
  const Outcome found = resume("old/runs/a", {"--train", "texts.csv"});
  EXPECT_EQ(found.exit_code, 0) << found;
  EXPECT_THAT(found.err, HasSubstr("going on after update 5"));
}

TEST_F(MovedRun, OtherDataOfTheSameNameAreNotTaken) {
  fs::rename(at("old"), at("new"));
  workspace_.write("new/data/train.csv", easy_csv(210, 3));
  EXPECT_THAT(resume("new/runs/a").err, HasSubstr("cannot be read"));
  const Outcome given = resume("new/runs/a", {"--train", "new/data/train.csv"});
  EXPECT_EQ(given.exit_code, 2) << given;
  EXPECT_THAT(given.err, HasSubstr("The content of data.train is not what the run began with. "
                                   "Restore it, name the file that has it (--train"));
}

TEST_F(MovedRun, AValidationFileCannotComeInLater) {
  const Outcome outcome = resume("old/runs/a", {"--validation", "old/data/test.csv"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("data.validation: "));
}

TEST_F(MovedRun, CopiedWithCpEvaluatesAndGoesOn) {
  for (const std::string flags : {"-r", "-rL"}) {
    const std::string copy = "copy" + flags;
    ASSERT_EQ(std::system(("cp " + flags + " '" + at("old/runs/a").string() + "' '" +
                           at(copy).string() + "'")
                              .c_str()),
              0);
    fs::create_directories(at("away"));
    fs::rename(at("old/runs/a"), at("away/a"));
    EXPECT_EQ(workspace_.run({"eval", "--checkpoint", copy}).exit_code, 0) << flags;
    const Outcome more = resume(copy);
    EXPECT_EQ(more.exit_code, 0) << flags << more;
    EXPECT_THAT(more.err, AllOf(HasSubstr("going on after update 5"), Not(HasSubstr("warning"))));
    EXPECT_EQ(fs::read_symlink(at(copy + "/checkpoints/last")), "000009");
    fs::rename(at("away/a"), at("old/runs/a"));
  }
}

TEST_F(MovedRun, ACheckpointCopiedAsALinkNamesTheCommand) {
  ASSERT_EQ(std::system(("cp -r '" + at("old/runs/a/checkpoints/best").string() + "' '" +
                         at("model").string() + "'")
                            .c_str()),
            0);
  const Outcome outcome = workspace_.run({"eval", "--checkpoint", "model"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("'model' is a link to '000005'"), HasSubstr("cp -rL")));
}

TEST_F(MovedRun, OfANewerProgramSaysSo) {
  const auto change = [&](const char* file, const char* pointer, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(read_file(at(file)));
    json[nlohmann::json::json_pointer(pointer)] = value;
    workspace_.write(file, json.dump());
  };
  change("old/runs/a/config.json", "/model/memory_palace", true);
  EXPECT_THAT(resume("old/runs/a").err, Not(HasSubstr("newer")));
  change("old/runs/a/manifest.json", "/diffuse/version", "999.10.0");
  const Outcome outcome = resume("old/runs/a");
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("model.memory_palace: unknown key"),
                                 HasSubstr("The run was made by diffuse 999.10.0, which is newer "
                                           "than this program, ")));
}

TEST_F(MovedRun, ALongerOneKeepsTheFirstTest) {
  const std::string first = read_file(at("old/runs/a/test.json"));
  ASSERT_FALSE(first.empty());
  const Outcome finished = train({"--resume", "old/runs/a"});
  EXPECT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(read_file(at("old/runs/a/test.json")), first) << "nothing was trained";
  const Outcome more = resume("old/runs/a");
  ASSERT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, HasSubstr("test-000005.json"));
  EXPECT_EQ(read_file(at("old/runs/a/test-000005.json")), first);
  EXPECT_TRUE(fs::exists(at("old/runs/a/test.json")));
  const Outcome replaced = train({"--config", "small.json", "--out", "old/runs/a", "--overwrite",
                                  "--set", "train.max_updates=2"});
  EXPECT_EQ(replaced.exit_code, 0) << replaced;
  EXPECT_FALSE(fs::exists(at("old/runs/a/test-000005.json")));
}

TEST_F(MovedRun, ThatCannotGoOnKeepsItsTest) {
  const std::string first = read_file(at("old/runs/a/test.json"));
  const fs::path last = "old/runs/a/checkpoints/000005";
  const std::string state = read_file(at(last / "state.json"));
  workspace_.write((last / "state.json").string(), state + " ");
  const Outcome outcome = resume("old/runs/a");
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("state.json"));
  EXPECT_EQ(read_file(at("old/runs/a/test.json")), first);
  EXPECT_FALSE(fs::exists(at("old/runs/a/test-000005.json")));
}

TEST(StoredPaths, ADollarInAFileNameSurvives) {
  const Workspace workspace;
  workspace.write("${HOME}/$${x}.csv", easy_csv(210));
  const Outcome first =
      workspace.run({"train", "--config", "small.json", "--train", "${HOME}/$${x}.csv", "--out",
                     "run", "--set", "train.max_updates=3"});
  ASSERT_EQ(first.exit_code, 0) << first;
  const Outcome more = workspace.run({"train", "--resume", "run", "--set", "train.max_updates=5"});
  EXPECT_EQ(more.exit_code, 0) << more;
  // The stored config is a config file like any other.
  const Outcome again = workspace.run({"train", "--config", "run/config.json", "--out", "again"});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_EQ(read_file(workspace.path() / "run/checkpoints/last/model.safetensors"),
            read_file(workspace.path() / "again/checkpoints/last/model.safetensors"));
}

}  // namespace
}  // namespace diffuse::testing
