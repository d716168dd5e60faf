// The search of a configuration.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>
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

/// 210 rows of three classes, of a small network and short trainings: 17 of a round's 27 trainings
/// are of 30 updates.
std::vector<std::string> tuned(const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"train", "--config", "small.json", "--out", out};
  for (const char* fixed : {"train.batch_size=32", "train.length=30u", "model.dim=8",
                            "model.bigram_buckets=0", "train.adversarial=0"})
    arguments.insert(arguments.end(), {"--set", fixed});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string weights_of(const fs::path& run) {
  return read_file(run / "checkpoints/last/model.safetensors");
}

std::vector<Json> trials_of(const fs::path& run) {
  std::vector<Json> trials;
  for (const std::string& line : lines_of(read_file(run / "autotune.jsonl")))
    trials.push_back(Json::parse(line));
  return trials;
}

/// A workspace with the run `tuned` of one round. Made once.
struct TunedWorkspace {
  Workspace workspace;
  Outcome training = workspace.run(tuned("tuned", {"--autotune", "900u", "--json"}));
};
const TunedWorkspace& once() {
  static const TunedWorkspace made;
  return made;
}

TEST(Autotune, SearchesWithinItsUpdatesAndTrainsWhatItChose) {
  const auto& [workspace, training] = once();
  ASSERT_EQ(training.exit_code, 0) << training;
  const fs::path run = workspace.path() / "tuned";
  const std::vector<Json> trials = trials_of(run);
  ASSERT_GE(trials.size(), 22U) << "the start's five folds, and nine, two times three, two";
  int updates = 0;
  for (const Json& trial : trials) {
    updates += trial.at("updates").get<int>();
    EXPECT_EQ(trial.at("rows"), 42);
    EXPECT_LE(trial.at("fold"), 4);
  }
  EXPECT_LE(updates, 900 - 30);
  for (std::size_t fold = 0; fold < 5; ++fold) {
    EXPECT_EQ(trials[fold].at("candidate"), 0);
    EXPECT_EQ(trials[fold].at("rung"), 2);
    EXPECT_EQ(trials[fold].at("fold"), fold);
    EXPECT_EQ(trials[fold].at("changes"), "as it began");
  }
  std::set<std::string> changes;
  for (const Json& trial : trials) changes.insert(trial.at("changes").get<std::string>());
  EXPECT_GE(changes.size(), 10U);
  EXPECT_FALSE(fs::exists(run / "trial"));
  const Json summary = Json::parse(training.out);
  EXPECT_EQ(summary.at("chosen"), Json::parse(read_file(run / "autotune.json")).at("changes"));
  EXPECT_GT(summary.at("test").at("accuracy"), 0.9);
  EXPECT_THAT(training.err,
              AllOf(HasSubstr("searching a configuration within 900u, measured on 5 "
                              "folds of 210 rows"),
                    HasSubstr("candidate 1, rung 1 of 3: "), HasSubstr("chosen of ")));
}

TEST(Autotune, GivenKeysStay) {
  const auto& [workspace, training] = once();
  ASSERT_EQ(training.exit_code, 0) << training;
  for (const Json& trial : trials_of(workspace.path() / "tuned"))
    for (const char* key : {"model.dim", "train.length", "train.batch_size", "train.adversarial"})
      EXPECT_THAT(trial.at("changes").get<std::string>(), Not(HasSubstr(key)));
}

TEST(Autotune, TheConfigRepeatsWhatWasChosen) {
  const auto& [workspace, training] = once();
  const Outcome repeated =
      workspace.run({"train", "--config", "tuned/config.json", "--out", "repeated"});
  ASSERT_EQ(repeated.exit_code, 0) << repeated;
  EXPECT_EQ(weights_of(workspace.path() / "repeated"), weights_of(workspace.path() / "tuned"));
}

// Which also shows that the same seed chooses the same.
TEST(Autotune, AStoppedSearchGoesOnAndChoosesTheSame) {
  const auto& [workspace, training] = once();
  const Outcome stopped =
      workspace.stopped_at({"candidate 3, rung 1"}, tuned("stopped", {"--autotune", "900u"}));
  EXPECT_THAT(stopped.err, HasSubstr("diffuse train --resume stopped"));
  const Outcome none = workspace.run({"predict", "--checkpoint", "stopped"}, "rain\n");
  EXPECT_EQ(none.exit_code, 2) << none;
  EXPECT_THAT(none.err, HasSubstr("a search that has not trained what it chooses yet"));
  const std::size_t before = trials_of(workspace.path() / "stopped").size();
  EXPECT_GE(before, 7U);
  const Outcome resumed = workspace.run({"train", "--resume", "stopped"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_EQ(read_file(workspace.path() / "stopped/autotune.json"),
            read_file(workspace.path() / "tuned/autotune.json"));
  EXPECT_EQ(weights_of(workspace.path() / "stopped"), weights_of(workspace.path() / "tuned"));
  const Outcome finished = workspace.run({"train", "--resume", "stopped"});
  EXPECT_EQ(finished.exit_code, 0) << finished;
  EXPECT_THAT(finished.err, HasSubstr("The run is finished"));
}

TEST(Autotune, OneThatLostItsCheckpointsTrainsWhatItHadChosen) {
  const auto& [workspace, training] = once();
  const fs::path lost = workspace.path() / "lost";
  fs::copy(workspace.path() / "tuned", lost, fs::copy_options::recursive);
  fs::remove_all(lost / "checkpoints");
  const Outcome resumed = workspace.run({"train", "--resume", "lost"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_THAT(resumed.err, Not(HasSubstr("searching a configuration")));
  EXPECT_EQ(weights_of(lost), weights_of(workspace.path() / "tuned"));
}

TEST(Autotune, OverwriteReplacesASearchAndLeavesNothingOfIt) {
  const auto& [workspace, training] = once();
  const fs::path again = workspace.path() / "again";
  fs::copy(workspace.path() / "tuned", again, fs::copy_options::recursive);
  const Outcome replaced = workspace.run({"train", "--config", "small.json", "--out", "again",
                                          "--overwrite", "--set", "train.length=10u"});
  ASSERT_EQ(replaced.exit_code, 0) << replaced;
  EXPECT_THAT(replaced.out, Not(HasSubstr("repeats it")));
  EXPECT_FALSE(fs::exists(again / "autotune.json"));
  EXPECT_FALSE(fs::exists(again / "autotune.jsonl"));
  // A user's file by a name that only a cross-validation writes stays.
  workspace.write("again/predictions.jsonl", "mine\n");
  const Outcome refused =
      workspace.run({"train", "--config", "small.json", "--out", "again", "--overwrite"});
  EXPECT_EQ(refused.exit_code, 2) << refused;
  EXPECT_THAT(refused.err, HasSubstr("predictions.jsonl is not part of one"));
}

TEST(Autotune, TooLittleTakesTheBeginningAndSaysSo) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(tuned("small", {"--autotune", "40u"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err,
              HasSubstr("--autotune 40u: too little for even the smallest round of the search"));
  EXPECT_THAT(
      outcome.out,
      HasSubstr("chosen  as it began  (diffuse train --config small/config.json repeats it)"));
}

// The beginning takes 5 trainings of 30 updates, a round of nine candidates 17, of two 6, and what
// is chosen one.
TEST(Autotune, ASmallBudgetGetsASmallerRound) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(tuned("smaller", {"--autotune", "420u"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, Not(HasSubstr("too little")));
  const std::vector<Json> trials = trials_of(workspace.path() / "smaller");
  std::set<int> candidates;
  bool whole = false;
  for (const Json& trial : trials) {
    candidates.insert(trial.at("candidate").get<int>());
    whole = whole || (trial.at("candidate") != 0 && trial.at("rung") == 2);
  }
  EXPECT_GE(candidates.size(), 3U);
  EXPECT_LT(candidates.size(), 7U);
  EXPECT_TRUE(whole) << "no candidate was measured whole";
}

TEST(Autotune, MeasuresOnTheValidationFileWhereThereIsOne) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(
      tuned("own", {"--autotune", "120u", "--validation", "test.csv", "--set", "model.steps=1"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("measured on test.csv"));
  const std::vector<Json> trials = trials_of(workspace.path() / "own");
  ASSERT_GE(trials.size(), 2U);
  EXPECT_EQ(trials[0].at("updates"), 30);
  EXPECT_EQ(trials[1].at("updates"), 4) << "a ninth of 30, rounded up";
  EXPECT_EQ(trials[0].at("rows"), trials[1].at("rows"));
}

TEST(Autotune, NgramsAloneAreTrainedWholeOnEachRung) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run(small_run("alone", {"--autotune", "20u", "--validation", "test.csv", "--set",
                                        "model.dim=0", "--set", "ngrams.max=1"}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_GE(trials_of(workspace.path() / "alone").size(), 2U) << "the first is not shortened";
}

// Five of four fifths of 30 updates, before each training of 30.
TEST(Autotune, RehearsalsCountToo) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run(tuned("rehearsed", {"--autotune", "200u", "--set", "data.validation_fraction=0",
                                        "--set", "ngrams.max=1"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_NEAR(trials_of(workspace.path() / "rehearsed").at(0).at("updates").get<int>(), 150, 10);
}

TEST(Autotune, RefusesWhatDoesNotGoTogether) {
  const Workspace workspace;
  const auto refused = [&](std::vector<std::string> more, const char* text) {
    const Outcome outcome = workspace.run(tuned("refused", std::move(more)));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(text));
  };
  refused({"--autotune", "10x"}, "--autotune 10x: expected minutes, such as 10m, or updates");
  refused({"--autotune", "3e"}, "--autotune 3e: expected minutes");
  refused({"--autotune", "0u"}, "--autotune 0u: expected minutes");
  refused({"--autotune", "90u", "--folds", "3"}, "--autotune searches a configuration and --folds");
  refused({"--autotune", "90u", "--baseline", "distilbert"}, "--autotune cannot stand beside it");
  refused({"--autotune", "90u", "--set", "model.type=distilbert"},
          "--autotune chooses for model.type = diffusion");
  workspace.write("four.csv", "a,one\nb,two\na,three\nb,four\n");
  refused({"--autotune", "90u", "--train", "four.csv"},
          "--autotune measures what it tries on folds of the training rows: ");
  EXPECT_FALSE(fs::exists(workspace.path() / "refused"));
  const Outcome beside = workspace.run({"train", "--resume", "refused", "--autotune", "90u"});
  EXPECT_EQ(beside.exit_code, 2) << beside;
  EXPECT_THAT(beside.err, HasSubstr("--autotune cannot stand beside it"));
}

TEST(Autotune, ADamagedJournalIsNamed) {
  const auto& [workspace, training] = once();
  const fs::path run = workspace.path() / "damaged";
  fs::create_directory(run);
  fs::copy_file(workspace.path() / "tuned/config.json", run / "config.json");
  workspace.write("damaged/autotune.json",
                  R"({"budget": "900u", "fixed": [], "chosen": false, "changes": ""})");
  workspace.write("damaged/autotune.jsonl", "{\"candidate\": 0}\n");
  const Outcome outcome = workspace.run({"train", "--resume", "damaged"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("autotune.jsonl:1"));
}

}  // namespace
}  // namespace diffuse::testing
