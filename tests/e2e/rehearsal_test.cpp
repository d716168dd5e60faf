// Without validation rows: the training is rehearsed on some of the rows, and the others say what
// the network counts beside the n-grams.

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> rehearse_into(const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"train",        "--config", "small.json",
                                        "--out",        out,        "--set",
                                        "ngrams.max=2", "--set",    "data.validation_fraction=0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Json saved_factors(const fs::path& run) {
  return Json::parse(read_file(run / "checkpoints/last/branches.json"));
}

/// Words and classes that have nothing to do with each other.
std::string noise_csv(int rows, unsigned seed) {
  std::minstd_rand random(seed);
  std::string csv;
  for (int i = 0; i < rows; ++i) {
    csv += random() % 2 == 0 ? "a,\"" : "b,\"";
    for (int word = 0; word < 6; ++word)
      csv.append("w").append(std::to_string(random() % 40)).append(" ");
    csv += "\"\n";
  }
  return csv;
}

TEST(Rehearsal, FindsTheFactorsAndHowSureTheSumIs) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(rehearse_into("all"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("Rehearsal: the network is trained on four fifths of the rows "
                                     "first and asked for the others, 5 times, to find what it "
                                     "counts beside the n-grams"));
  EXPECT_THAT(outcome.err, HasSubstr("Rehearsal 2 of 5\n"));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("rehearsal accuracy  "), HasSubstr("  n = 210  (the"),
                                 HasSubstr("rehearsal branches  n-grams ")));
  const fs::path run = workspace.path() / "all";
  const Json factors = saved_factors(run);
  EXPECT_NE(factors.at("network_factor"), 1);
  EXPECT_NE(factors.at("ngram_factor"), factors.at("start_factor"));
  EXPECT_EQ(Json::parse(read_file(run / "test.json")).at("branches").at("network_factor"),
            factors.at("network_factor"));
  EXPECT_EQ(Json::parse(read_file(run / "checkpoints/last/coverage.json")).at("rows"), 210);
  const Outcome answer = workspace.run(
      {"predict", "--checkpoint", "all", "--target-accuracy", "0.5"}, "match goal team\n");
  EXPECT_EQ(answer.exit_code, 0) << answer;
  EXPECT_THAT(answer.out, HasSubstr("sport"));
  EXPECT_FALSE(fs::exists(run / "rehearsal/1/checkpoints")) << "not needed any more";
}

TEST(Rehearsal, IsPartOfTheJsonSummary) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(rehearse_into("all", {"--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json rehearsal = Json::parse(outcome.out).at("rehearsal");
  EXPECT_EQ(rehearsal.at("count"), 210);
  EXPECT_GT(rehearsal.at("accuracy").get<double>(), 0.9);
  EXPECT_EQ(rehearsal.at("branches").at("network_factor"),
            saved_factors(workspace.path() / "all").at("network_factor"));
}

TEST(Rehearsal, WhatWasLearnedByHeartCountsLittle) {
  const Workspace workspace;
  workspace.write("noise.csv", noise_csv(400, 1));
  workspace.write("other.csv", noise_csv(400, 2));
  const auto loss = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.end(), {"--train", "noise.csv", "--test", "other.csv", "--set",
                             "train.length=20e", "--json"});
    const Outcome outcome = workspace.run(rehearse_into(out, std::move(more)));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return Json::parse(outcome.out).at("test").at("mean_loss").get<double>();
  };
  EXPECT_LT(loss("rehearsed", {}), 0.75) << "nothing can be known: ln 2";
  EXPECT_LT(saved_factors(workspace.path() / "rehearsed").at("network_factor").get<double>(), 0.3);
  EXPECT_GT(loss("set", {"--set", "ngrams.factor=5"}), 1);
}

// Who has learned the answers of those rows is no measure.
TEST(Rehearsal, BeginsWithoutAClassifierThatKnowsTheRows) {
  const Workspace workspace;
  workspace.write("noise.csv", noise_csv(400, 1));
  workspace.write("other.csv", noise_csv(400, 2));
  const std::vector<std::string> data = {"--train",   "noise.csv", "--test",
                                         "other.csv", "--set",     "train.length=20e"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), data.begin(), data.end());
    return more;
  };
  ASSERT_EQ(workspace.run(rehearse_into("base", with({}))).exit_code, 0);
  const std::string weights = "base/checkpoints/last/model.safetensors";
  for (const std::vector<std::string>& start :
       {std::vector<std::string>{"--init", "base"}, {"--set", "model.embedding_file=" + weights}}) {
    std::vector<std::string> arguments = rehearse_into("next", with(start));
    arguments.emplace_back("--overwrite");
    const Outcome next = workspace.run(arguments);
    ASSERT_EQ(next.exit_code, 0) << next;
    EXPECT_THAT(next.err, HasSubstr("a classifier trained on 100 % of the training texts, so the "
                                    "rehearsal begins without it"));
    EXPECT_LT(saved_factors(workspace.path() / "next").at("network_factor").get<double>(), 0.3)
        << start.back();
  }
  // As it is without one to begin with: not with the slow words of one that knows them, either.
  const auto rehearsal_of = [&](const std::string& out, std::vector<std::string> more) {
    more.insert(more.end(), {"--json", "--overwrite"});
    const Outcome outcome = workspace.run(rehearse_into(out, with(std::move(more))));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return Json::parse(outcome.out).at("rehearsal").at("mean_loss");
  };
  EXPECT_EQ(rehearsal_of("next", {"--init", "base", "--set", "train.embedding_lr_factor=0.01"}),
            rehearsal_of("fresh", {}));
  const Outcome split = workspace.run(
      rehearse_into("split", with({"--init", "base", "--set", "data.validation_fraction=0.2"})));
  EXPECT_THAT(
      split.err,
      HasSubstr("a classifier trained on 100 % of the training texts. Validation rows among "
                "them are no measure of this model"));
  // Of another file it knows none.
  const Outcome other = workspace.run(
      rehearse_into("third", {"--init", "base", "--train", "other.csv", "--test", "noise.csv"}));
  ASSERT_EQ(other.exit_code, 0) << other;
  EXPECT_THAT(other.err, Not(HasSubstr("a classifier trained on")));
}

TEST(Rehearsal, OfClassesOfThreeRowsHasNoEmptyFold) {
  const Workspace workspace;
  workspace.write(
      "six.csv",
      "spam,you won a prize\nham,see you tomorrow\nspam,claim the prize now\nham,thanks "
      "for lunch\nspam,free entry today\nham,running late again\n");
  const Outcome outcome = workspace.run({"train", "--train", "six.csv", "--out", "six"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("rehearsal accuracy  "));
}

TEST(Rehearsal, IsLeftOutWhereTheFactorIsKnown) {
  const Workspace workspace;
  for (const std::vector<std::string>& settings :
       {std::vector<std::string>{"--set", "ngrams.factor=2"},
        {"--set", "ngrams.max=0"},
        {"--set", "data.validation_fraction=0.2"},
        {"--set", "train.length=0.01m"}}) {
    std::vector<std::string> arguments = rehearse_into("run", settings);
    arguments.emplace_back("--overwrite");
    const Outcome outcome = workspace.run(arguments);
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.err + outcome.out, Not(HasSubstr("ehearsal"))) << settings.back();
    EXPECT_FALSE(fs::exists(workspace.path() / "run/rehearsal"));
  }
}

TEST(Rehearsal, OfNGramsAloneNeedsNoTraining) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(rehearse_into("alone", {"--set", "model.dim=0"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("rehearsal accuracy  "), HasSubstr("no network")));
  EXPECT_THAT(outcome.err, Not(HasSubstr("Rehearsal: the network")));
  EXPECT_FALSE(fs::exists(workspace.path() / "alone/rehearsal"));
  const Outcome sure = workspace.run(
      {"predict", "--checkpoint", "alone", "--target-accuracy", "0.5"}, "match goal team\n");
  EXPECT_EQ(sure.exit_code, 0) << sure;
  EXPECT_THAT(sure.out, HasSubstr("sport"));
}

TEST(Rehearsal, ThatIsStoppedGoesOnToTheSameBytes) {
  const Workspace workspace;
  const std::vector<std::string> logs = {"--set", "train.log_every=1"};
  ASSERT_EQ(workspace.run(rehearse_into("whole", logs)).exit_code, 0);
  const Outcome stopped = workspace.stopped_at({"update 7  grad"}, rehearse_into("parts", logs));
  EXPECT_THAT(stopped.err, HasSubstr("diffuse train --resume parts"));
  EXPECT_FALSE(fs::exists(workspace.path() / "parts/checkpoints/last"));
  const Outcome resumed = workspace.run({"train", "--resume", "parts"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_THAT(resumed.out, HasSubstr("rehearsal accuracy"));
  // branches.json has a time, too.
  EXPECT_EQ(saved_factors(workspace.path() / "parts").at("network_factor"),
            saved_factors(workspace.path() / "whole").at("network_factor"));
  for (const char* file : {"model.safetensors", "coverage.json"})
    EXPECT_EQ(read_file(workspace.path() / "parts/checkpoints/last" / file),
              read_file(workspace.path() / "whole/checkpoints/last" / file));
}

TEST(Rehearsal, ThatIsStoppedWhileItAnswersIsNotTheFinalEvaluation) {
  const Workspace workspace;
  std::string rows;
  for (int i = 0; i < 600; ++i) {
    rows += i % 2 == 0 ? "sport," : "money,";
    for (int word = 0; word < 400; ++word)
      rows.append(i % 2 == 0 ? "goal " : "bank ")
          .append(std::to_string((i + word) % 50))
          .append(" ");
    rows += "\n";
  }
  workspace.write("long.csv", rows);
  // Answers that take long beside an update.
  Process process(workspace.launch(
      rehearse_into("run", {"--train", "long.csv", "--set", "data.test=", "--set", "ngrams.max=1",
                            "--set", "train.length=1u", "--set", "model.dim=32", "--set",
                            "model.steps=16", "--set", "tokenizer.max_tokens=1000"})));
  const fs::path saved = workspace.path() / "run/rehearsal/1/checkpoints/last/state.json";
  for (int i = 0; i < 6000 && !fs::exists(saved); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  process.signal(SIGTERM);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 143) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("Stopped by SIGTERM"), Not(HasSubstr("in the final evaluation")),
                    HasSubstr("diffuse train --resume run")));
}

TEST(Rehearsal, IsReplacedWithItsRun) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(rehearse_into("run")).exit_code, 0);
  const Outcome again =
      workspace.run(rehearse_into("run", {"--overwrite", "--set", "ngrams.factor=2"}));
  ASSERT_EQ(again.exit_code, 0) << again;
  EXPECT_FALSE(fs::exists(workspace.path() / "run/rehearsal"));
}

TEST(Rehearsal, TheLinearModelAloneNeedsNoConfig) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(
      {"train", "--train", "train.csv", "--test", "test.csv", "--set", "model.dim=0"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("no network"));
}

}  // namespace
}  // namespace diffuse::testing
