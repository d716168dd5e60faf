// The linear branch through all verbs.

#include <gmock/gmock.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <random>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> run_into(const std::string& out, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--set", "ngrams.max=2"});
  return small_run(out, more);
}

Json eval_json(const Workspace& workspace, const std::string& checkpoint,
               std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"eval", "--checkpoint", checkpoint, "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = workspace.run(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  return Json::parse(outcome.out);
}

Json branches(const fs::path& run) {
  return Json::parse(read_file(run / "checkpoints/best/branches.json"));
}

TEST(Ngrams, StandBesideTheNetworkInEveryFigure) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(run_into("both"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("n-grams: "), HasSubstr("weights for each of 3 classes"),
                                 HasSubstr("  alone: n-grams ")));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("test branches  n-grams "), HasSubstr(", network ")));
  const fs::path run = workspace.path() / "both";
  EXPECT_TRUE(fs::exists(run / "checkpoints/best/ngrams.safetensors"));
  const Json test = Json::parse(read_file(run / "test.json"));
  EXPECT_EQ(test.at("branches").at("ngram_factor"), branches(run).at("ngram_factor"));
  const Json evaluated = eval_json(workspace, "both");
  EXPECT_EQ(evaluated.at("accuracy"), test.at("accuracy"));
  EXPECT_EQ(evaluated.at("mean_loss"), test.at("mean_loss"));
  EXPECT_EQ(evaluated.at("branches"), test.at("branches"));
  EXPECT_THAT(workspace.run({"eval", "--checkpoint", "both"}).out, HasSubstr("branches  n-grams "));
  const std::string metrics = read_file(run / "metrics.jsonl");
  EXPECT_THAT(metrics, AllOf(HasSubstr("\"validation_ngram_accuracy\":"),
                             HasSubstr("\"validation_network_accuracy\":")));
}

TEST(Ngrams, AlterTheAnswersOfPredictByTheirFactor) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(run_into("both")).exit_code, 0);
  const auto logits = [&](const std::string& text) {
    const Outcome outcome = workspace.run(
        {"predict", "--checkpoint", "both", "--format", "jsonl", "--logits"}, text + "\n");
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return Json::parse(outcome.out).at("logits").get<std::vector<double>>();
  };
  const std::vector<double> together = logits("match goal team");
  const fs::path folder = workspace.path() / "both/checkpoints/best";
  Json factors = Json::parse(read_file(folder / "branches.json"));
  const double ngrams = factors.at("ngram_factor").get<double>();
  const double network = factors.at("network_factor").get<double>();
  fs::remove(folder / "manifest.json");  // what is changed here is meant
  const auto with = [&](double network_factor, double ngram_factor) {
    factors["network_factor"] = network_factor;
    factors["ngram_factor"] = ngram_factor;
    workspace.write(fs::relative(folder / "branches.json", workspace.path()).string(),
                    factors.dump());
    return logits("match goal team");
  };
  const std::vector<double> network_alone = with(1, 0);
  const std::vector<double> ngrams_alone = with(0, 1);
  EXPECT_GT(ngrams, 0);
  for (std::size_t c = 0; c < together.size(); ++c)
    EXPECT_NEAR(together[c], network * network_alone[c] + ngrams * ngrams_alone[c], 1e-4);
}

TEST(Ngrams, AloneNeedNoNetwork) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(run_into("alone", {"--set", "model.dim=0"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("none: the n-grams alone"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("warning")));
  const Json test = Json::parse(read_file(workspace.path() / "alone/test.json"));
  EXPECT_EQ(test.at("accuracy"), test.at("branches").at("ngram_accuracy"));
  EXPECT_EQ(test.at("branches").at("network_accuracy"), nullptr);
  EXPECT_THAT(outcome.out, HasSubstr(", no network  (factor "));
  EXPECT_GT(test.at("accuracy").get<double>(), 0.9);
  const Outcome answer = workspace.run({"predict", "--checkpoint", "alone"}, "rain storm cloud\n");
  EXPECT_THAT(answer.out, HasSubstr("weather"));
}

TEST(Ngrams, OfCharactersAnswerForWordsThatAreUnknown) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(run_into("run", {"--set", "ngrams.char_max=4"})).exit_code, 0);
  const Outcome known = workspace.run({"predict", "--checkpoint", "run"}, "matchez goalz\n");
  EXPECT_THAT(known.out, HasSubstr("sport")) << known;
  EXPECT_THAT(known.err, Not(HasSubstr("class shares")));
  const Outcome unknown = workspace.run({"predict", "--checkpoint", "run"}, "xqxq jzjz\n");
  EXPECT_THAT(unknown.out, HasSubstr("\t0.33")) << "nothing is known of it";
  EXPECT_THAT(unknown.err, HasSubstr("class shares"));
}

TEST(Ngrams, NeedAWordOrANetwork) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run({"train", "--config", "small.json", "--set", "model.dim=0"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err,
              HasSubstr("model.dim: 0 leaves no model without n-grams; expected a width of at "
                        "least 1, or ngrams.max of at least 1"));
}

TEST(Ngrams, GoOnToTheSameBytes) {
  const Workspace workspace;
  const std::vector<std::string> settings = {"--set", "train.length=200u",
                                             "--set", "train.log_every=1",
                                             "--set", "train.evaluate_every=20u"};
  ASSERT_EQ(workspace.run(run_into("whole", settings)).exit_code, 0);
  workspace.stopped_at({"update 30  grad"}, run_into("parts", settings));
  const Outcome resumed = workspace.run({"train", "--resume", "parts"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_THAT(resumed.err, Not(HasSubstr("n-grams: "))) << "they are not trained again";
  for (const char* file : {"model.safetensors", "ngrams.safetensors"}) {
    EXPECT_TRUE(read_file(workspace.path() / "whole/checkpoints/last" / file) ==
                read_file(workspace.path() / "parts/checkpoints/last" / file))
        << file;
  }
  for (const char* key : {"ngram_factor", "network_factor", "start_factor"})
    EXPECT_EQ(branches(workspace.path() / "whole").at(key),
              branches(workspace.path() / "parts").at(key));
}

/// Rows of which nothing can be learned, of sixty classes: the weights of 9,000 of them take twenty
/// seconds, unless they are stopped.
std::string unlearnable_csv() {
  std::mt19937 random(1);
  std::string rows;
  for (int row = 0; row < 20'000; ++row) {
    rows += "class" + std::to_string(random() % 60) + ",word";
    for (int word = 0; word < 30; ++word) rows += " w" + std::to_string(random() % 200);
    rows += '\n';
  }
  return rows;
}

/// A training on them into `noise`, of n-grams alone.
std::vector<std::string> noise_run(const std::string& max_rows, std::vector<std::string> more) {
  for (const char* setting : {"data.test=", "data.validation_fraction=0", "model.dim=0",
                              "ngrams.max=1", "ngrams.cost=1e6"})
    more.insert(more.end(), {"--set", setting});
  more.insert(more.end(), {"--set", "ngrams.max_rows=" + max_rows, "--train", "noise.csv"});
  return small_run("noise", more);
}

/// What a run leaves that gets Ctrl-C when the rows for the n-grams' weights have been drawn.
Outcome stopped_in_weights(const Workspace& workspace, const std::vector<std::string>& arguments) {
  Process process(workspace.launch(arguments));
  EXPECT_TRUE(process.wait_for_stderr("drawn evenly (ngrams.max_rows)"));
  process.signal(SIGINT);
  Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 130) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("SIGINT: stopping while the n-grams are trained, of "
                                           "which nothing is kept"),
                                 HasSubstr("Stopped by SIGINT"), Not(HasSubstr("error:")),
                                 Not(HasSubstr("weights for each of"))));
  return outcome;
}

TEST(Ngrams, CtrlCWhileTheyAreTrainedEndsTheRunAndSaysHowToBeginAnew) {
  const Workspace workspace;
  workspace.write("noise.csv", unlearnable_csv());
  const Outcome stopped = stopped_in_weights(workspace, noise_run("9000", {}));
  const std::string anew = "start it anew (in its place: --out noise --overwrite).";
  EXPECT_THAT(stopped.err, HasSubstr("The run has no checkpoint yet; " + anew));
  EXPECT_FALSE(fs::exists(workspace.path() / "noise/checkpoints"));
  const Outcome resumed = workspace.run({"train", "--resume", "noise"});
  EXPECT_EQ(resumed.exit_code, 2) << resumed;
  EXPECT_THAT(resumed.err, HasSubstr("there is nothing to go on from; " + anew));
  EXPECT_EQ(workspace.run(noise_run("100", {"--overwrite"})).exit_code, 0);
}

TEST(Ngrams, CtrlCWhileTheyAreTrainedLeavesACrossValidationThatGoesOn) {
  const Workspace workspace;
  workspace.write("noise.csv", unlearnable_csv());
  const Outcome stopped = stopped_in_weights(workspace, noise_run("9000", {"--folds", "2"}));
  EXPECT_THAT(stopped.err, HasSubstr("Go on with:\n  diffuse train --resume noise"));
  // That it comes to the same place again shows that it goes on.
  const Outcome again = stopped_in_weights(workspace, {"train", "--resume", "noise"});
  EXPECT_THAT(again.err,
              AllOf(HasSubstr("Fold 1 of 2"), HasSubstr("diffuse train --resume noise")));
}

TEST(Ngrams, ShareOneFileAmongCheckpoints) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(run_into("run", {"--set", "train.keep_checkpoints=3"})).exit_code, 0);
  const fs::path file = workspace.path() / "run/checkpoints/last/ngrams.safetensors";
  EXPECT_GE(fs::hard_link_count(file), 2U);
}

TEST(Ngrams, TakeAFactorThatIsSet) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(run_into("set", {"--set", "ngrams.factor=2.5"})).exit_code, 0);
  const Json factors = branches(workspace.path() / "set");
  EXPECT_EQ(factors.at("network_factor"), 1);
  EXPECT_EQ(factors.at("ngram_factor"), 2.5);
}

TEST(Ngrams, ADamagedFileIsTold) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(run_into("run")).exit_code, 0);
  const fs::path folder = workspace.path() / "run/checkpoints/best";
  fs::remove(folder / "manifest.json");
  workspace.write(fs::relative(folder / "branches.json", workspace.path()).string(),
                  R"({"network_factor": -1, "ngram_factor": 1, "start_factor": 1,
                      "training_time_s": 1})");
  const Outcome negative = workspace.run({"eval", "--checkpoint", "run"});
  EXPECT_EQ(negative.exit_code, 2);
  EXPECT_THAT(negative.err, HasSubstr("network_factor is -1; expected a number of at least 0."));
  fs::remove(folder / "ngrams.safetensors");
  const Outcome missing = workspace.run({"eval", "--checkpoint", "run"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("ngrams.safetensors"));
}

TEST(Ngrams, CompareInBench) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(run_into("both")).exit_code, 0);
  ASSERT_EQ(workspace.run(run_into("alone", {"--set", "train.length=1u"})).exit_code, 0);
  const Outcome outcome = workspace.run(
      {"bench", "--checkpoint", "both", "--compare", "alone", "--data", "test.csv", "--mode",
       "inference", "--batch-size", "4", "--no-memory", "--budget", "5", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json test = Json::parse(read_file(workspace.path() / "both/test.json"));
  EXPECT_THAT(outcome.out, HasSubstr(test.at("accuracy").dump())) << "that of both branches";
}

}  // namespace
}  // namespace diffuse::testing
