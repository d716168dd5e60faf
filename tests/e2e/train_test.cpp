#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// A run short enough to be made many times.
std::vector<std::string> short_run(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"train",           "--config", "small.json",     "--set",
                                        "train.length=3u", "--set",    "train.warmup=1u"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(TrainVerb, PrintsASummaryOnStdout) {
  const Outcome& outcome = trained_workspace().training;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_GE(lines.size(), 9U) << outcome;
  EXPECT_THAT(lines[0], MatchesRegex("test accuracy  [0-9]+\\.[0-9][0-9] %  "
                                     "\\[[0-9.]+, [0-9.]+\\]  n = 60"));
  EXPECT_THAT(lines[1],
              MatchesRegex("test majority  33.33 %  .always \"[a-z]+\", the most frequent "
                           "class in training."));
  EXPECT_THAT(lines[2], MatchesRegex("test macro-F1  [01]\\.[0-9]+"));
  EXPECT_THAT(
      lines[3],
      MatchesRegex("test surest    9[0-9] % of the answers [0-9.]+ %(, [0-9]+ % [0-9.]+ %)+"));
  EXPECT_THAT(lines[4], MatchesRegex("validation accuracy  [0-9]+\\.[0-9][0-9] %  n = 42  at "
                                     "update [0-9]+ of [0-9]+"));
  EXPECT_EQ(lines[5], "checkpoint  chosen by 42 validation rows");
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("training time  "), HasSubstr("run directory  runs/small\n"),
                    HasSubstr("diffuse eval --checkpoint runs/small\n"),
                    HasSubstr("diffuse predict --checkpoint runs/small\n")));
}

TEST(TrainVerb, LearnsTheEasyProblem) {
  const std::string first = lines_of(trained_workspace().training.out).at(0);
  const double accuracy = std::stod(first.substr(first.find("  ")));
  EXPECT_GE(accuracy, 95.0) << first;
}

TEST(TrainVerb, ShowsAStartUpTableOnStderr) {
  const std::string& err = trained_workspace().training.err;
  EXPECT_THAT(err, AllOf(HasSubstr("168 rows"), HasSubstr("42 rows"), HasSubstr("60 rows"),
                         HasSubstr("parameters"), HasSubstr("device"), HasSubstr("model.dim"),
                         HasSubstr("train.length")));
  EXPECT_THAT(err, Not(HasSubstr("model.radius"))) << "a parameter at its default";
  EXPECT_THAT(err, AllOf(HasSubstr("at their defaults"), HasSubstr("radius=1"),
                         HasSubstr("memory         "), HasSubstr("activations "),
                         HasSubstr("updates        66, 11 an epoch of 1,176 "),
                         HasSubstr("precision      fp32"), HasSubstr("seed           1")));
}

TEST(TrainVerb, PairsOfTokensAndTheAdversarialStepTrainAndAnswerAsTheReferenceDoes) {
  const Workspace workspace;
  const Outcome training =
      workspace.run({"train", "--config", "small.json", "--out", "pairs", "--set",
                     "model.bigram_buckets=1000", "--set", "train.adversarial=0.05"});
  ASSERT_EQ(training.exit_code, 0) << training;
  EXPECT_THAT(training.err, HasSubstr(", 16,000 of them for pairs of tokens"));
  const auto answers = [&](const char* kernel) {
    const Outcome outcome = workspace.run({"eval", "--checkpoint", "pairs", "--device", "cpu",
                                           "--data", "test.csv", "--kernel", kernel});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return lines_of(outcome.out).at(0);
  };
  EXPECT_EQ(answers("fused"), answers("reference"));
  EXPECT_EQ(lines_of(training.out).at(0), "test " + answers("fused"));
}

TEST(TrainVerb, FillsTheRunDirectory) {
  const fs::path run = trained_workspace().workspace.path() / "runs/small";
  const std::vector<std::string> names = tree(run);
  for (const char* name : {"config.json", "manifest.json", "metrics.jsonl", "train.log",
                           "test.json", "checkpoints/best", "checkpoints/last"}) {
    EXPECT_THAT(names, Contains(name));
  }
  const auto config = nlohmann::json::parse(content(run / "config.json"));
  EXPECT_EQ(config["model"]["dim"], 16);
  const auto manifest = nlohmann::json::parse(content(run / "manifest.json"));
  EXPECT_EQ(manifest["arguments"].back(), "small.json");
  EXPECT_EQ(manifest["device"], "cpu");
  EXPECT_EQ(manifest["threads"], 1);
  EXPECT_EQ(manifest["seed"], 1);
  EXPECT_THAT(manifest["data_xxh3_128"]["data.train"].get<std::string>(),
              MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(manifest["start_time"].get<std::string>(),
              MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z"));
  EXPECT_FALSE(manifest["libtorch"]["found"].get<std::string>().empty());
  EXPECT_THAT(content(run / "train.log"),
              AllOf(HasSubstr("model.dim"), HasSubstr("test accuracy")));
  EXPECT_GT(nlohmann::json::parse(content(run / "test.json"))["accuracy"].get<double>(), 0.5);
  for (const std::string& line : lines_of(content(run / "metrics.jsonl"))) {
    EXPECT_TRUE(nlohmann::json::parse(line).is_object());
  }
}

TEST(TrainVerb, EveryFigureItWritesIsDocumented) {
  const std::string page = content(fs::path(DIFFUSE_SOURCE_DIR) / "docs/metrics.md");
  const fs::path run = trained_workspace().workspace.path() / "runs/small";
  for (const std::string& line : lines_of(content(run / "metrics.jsonl"))) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_THAT(page, HasSubstr("### `" + json["type"].get<std::string>() + "`"));
    for (const auto& [key, value] : json.items()) {
      EXPECT_THAT(page, HasSubstr("`" + key + "`"));
      if (!value.is_object()) continue;
      for (const auto& [inner, ignored] : value.items())
        EXPECT_THAT(page, HasSubstr("`" + inner + "`"));
    }
  }
}

TEST(TrainVerb, NumbersTheRunDirectoryWhenTaken) {
  Workspace workspace;
  for (const char* name : {"runs/small", "runs/small-2", "runs/small-3"}) {
    const Outcome outcome = workspace.run(short_run({"--quiet"}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    // --quiet leaves warnings alone: so short a training misses a class.
    for (const std::string& line : lines_of(outcome.err))
      EXPECT_THAT(line, StartsWith("warning: "));
    EXPECT_THAT(content(workspace.path() / name / "train.log"),
                AllOf(HasSubstr("Training"), HasSubstr("trained ")));
    EXPECT_THAT(outcome.out, HasSubstr("run directory  " + std::string(name) + "\n"));
    EXPECT_TRUE(fs::exists(workspace.path() / name / "config.json"));
  }
}

TEST(TrainVerb, TakesAnEmptyFolderNamedByTheUser) {
  Workspace workspace;
  fs::create_directories(workspace.path() / "my runs/a");
  const Outcome outcome = workspace.run(short_run({"--out", "my runs/a"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_TRUE(fs::exists(workspace.path() / "my runs/a/checkpoints/last"));
  EXPECT_THAT(outcome.out, HasSubstr("--checkpoint 'my runs/a'"));
}

TEST(TrainVerb, RefusesTheSameFolderTwice) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(short_run({"--out", "mine"})).exit_code, 0);
  const std::string before = content(workspace.path() / "mine/train.log");
  const Outcome outcome = workspace.run(short_run({"--out", "mine"}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("--out mine: the folder is not empty"));
  EXPECT_EQ(content(workspace.path() / "mine/train.log"), before);
}

TEST(TrainVerb, DryRunShowsTheTableAndWritesNothing) {
  Workspace workspace;
  const std::vector<std::string> before = tree(workspace.path());
  const Outcome outcome = workspace.run({"train", "--config", "small.json", "--dry-run"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("168 rows"), HasSubstr("parameters"),
                                 HasSubstr("memory"), HasSubstr("model.dim")));
  EXPECT_EQ(tree(workspace.path()), before);
}

TEST(TrainVerb, DryRunAsJson) {
  const Workspace workspace;
  const Outcome outcome = workspace.run({"train", "--config", "small.json", "--dry-run", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["train"]["rows"], 168);
  EXPECT_EQ(json["train"]["tokens"], 1176);
  EXPECT_EQ(json["train"]["skipped_rows"], 0);
  EXPECT_EQ(json["validation"]["rows"], 42);
  EXPECT_EQ(json["test"]["rows"], 60);
  EXPECT_EQ(json["classes"], 3);
  EXPECT_EQ(json["updates"], 66);
  EXPECT_EQ(json["updates_per_epoch"], 11);
  EXPECT_TRUE(json["time_limit_s"].is_null());
  EXPECT_EQ(json["precision"], "fp32");
  EXPECT_EQ(json["config"]["model"]["dim"], 16);
  // Weights, gradients, two moments and the average, of four bytes each, and the activations.
  EXPECT_GT(json["memory_estimate_bytes"], 20 * json["parameters"].get<std::int64_t>());
}

TEST(TrainVerb, TheResultAsJson) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(short_run({"--json", "--out", "run"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["test"], nlohmann::json::parse(content(workspace.path() / "run/test.json")));
  EXPECT_EQ(json["validation"]["rows"], 42);
  EXPECT_EQ(json["updates"], 3);
  EXPECT_EQ(json["run_directory"], "run");
  EXPECT_GT(json["training_time_s"], 0);
  const Outcome again = workspace.run({"train", "--resume", "run", "--json"});
  ASSERT_EQ(again.exit_code, 0) << again;
  json["training_time_s"] = nlohmann::json::parse(again.out)["training_time_s"];  // up to the save
  EXPECT_EQ(nlohmann::json::parse(again.out), json) << "a finished run";
}

TEST(TrainVerb, TheLogBeginsBeforeTheRunDirectory) {
  Workspace workspace;
  workspace.write("mixed.csv", easy_csv(40) + "sport,\n");
  const Outcome outcome = workspace.run(short_run(
      {"--train", "mixed.csv", "--set", "data.on_error=skip", "--set", "model.hidden_dim=8"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(content(workspace.path() / "runs/small/train.log"),
              AllOf(HasSubstr("model.hidden_dim: has no effect"),
                    HasSubstr("data.train: no header, label is column 1"),
                    HasSubstr("row left out: "), HasSubstr("1 bad row left out")));
}

TEST(TrainVerb, TheDefaultPlaceIsCheckedBeforeAnyWork) {
  Workspace workspace;
  workspace.write("runs", "a file");
  const Outcome outcome = workspace.run(short_run({}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("the run directory goes below runs/"),
                    HasSubstr("is a file; expected a folder"), Not(HasSubstr("rows,"))));
}

TEST(TrainVerb, AnUnusableDeviceHidesNoOtherFault) {
  Workspace workspace;
  const Outcome outcome = workspace.run({"train", "--config", "small.json", "--device", "cuda:99",
                                         "--out", "train.csv", "--set", "model.dimm=3"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("model.dimm: unknown key"), HasSubstr("device cuda:99"),
                                 HasSubstr("--out train.csv: this is a file")));
}

TEST(TrainVerb, WorksWithoutAConfig) {
  Workspace workspace;
  workspace.write("valid.csv", easy_csv(30, 500));
  const Outcome outcome =
      workspace.run({"train", "--train", "train.csv", "--test", "test.csv", "--validation",
                     "valid.csv", "--device", "cpu", "--threads", "1", "--set", "train.length=2u",
                     "--set", "train.warmup=1u", "--set", "model.dim=8"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(StartsWith("test accuracy"), HasSubstr("n = 30"),
                                 HasSubstr("run directory  runs/train\n")));
  EXPECT_THAT(outcome.err, HasSubstr("210 rows"));
}

TEST(TrainVerb, WithoutATestFileSaysHowToTest) {
  Workspace workspace;
  const Outcome outcome =
      workspace.run({"train", "--train", "train.csv", "--device", "cpu", "--threads", "1", "--set",
                     "train.length=2u", "--set", "train.warmup=1u", "--set", "model.dim=8"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(Not(HasSubstr("test accuracy")),
                                 HasSubstr("diffuse eval --checkpoint runs/train --data FILE")));
  const Outcome eval = workspace.run({"eval", "--checkpoint", "runs/train"});
  EXPECT_EQ(eval.exit_code, 2) << eval;
  EXPECT_THAT(eval.out, IsEmpty());
  EXPECT_THAT(eval.err, HasSubstr("the model was trained without a test file; give one with "
                                  "--data FILE"));
}

TEST(TrainVerb, TheSameSeedGivesTheSameWeights) {
  Workspace workspace;
  ASSERT_EQ(workspace.run(short_run({"--out", "a"})).exit_code, 0);
  ASSERT_EQ(workspace.run(short_run({"--out", "b"})).exit_code, 0);
  const std::string model = "checkpoints/last/model.safetensors";
  EXPECT_EQ(content(workspace.path() / "a" / model), content(workspace.path() / "b" / model));
}

/// Sends `number` to a long training that has begun.
Outcome stopped_by(const Workspace& workspace, int number) {
  Process process(
      workspace.launch({"train", "--config", "small.json", "--set", "train.length=100000e", "--set",
                        "train.log_every=1", "--set", "train.evaluate_every=50000e"}));
  EXPECT_TRUE(process.wait_for_stderr("loss"));
  process.signal(number);
  return process.wait();
}

TEST(TrainStopped, BySigintSavesACheckpoint) {
  Workspace workspace;
  const Outcome outcome = stopped_by(workspace, SIGINT);
  EXPECT_EQ(outcome.exit_code, 130) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("Stopped by SIGINT"));
  const Outcome eval = workspace.run({"eval", "--checkpoint", "runs/small"});
  EXPECT_EQ(eval.exit_code, 0) << eval;
  EXPECT_THAT(eval.out, StartsWith("accuracy  "));
}

TEST(TrainStopped, BySigterm) {
  Workspace workspace;
  const Outcome outcome = stopped_by(workspace, SIGTERM);
  EXPECT_EQ(outcome.exit_code, 143) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("Stopped by SIGTERM"));
  EXPECT_TRUE(fs::exists(workspace.path() / "runs/small/checkpoints/last/model.safetensors"));
}

#ifndef __SANITIZE_ADDRESS__  // its shadow memory does not fit into any limit
TEST(TrainFailed, OutOfMemoryIsASentenceWithAdvice) {
  Workspace workspace;
  Launch launch = workspace.launch({"train", "--config", "small.json", "--set", "model.dim=8192",
                                    "--set", "model.weight=full", "--set", "model.steps=16"});
  launch.address_space_bytes = std::uint64_t{1} << 30;
  const Outcome outcome = run(launch);
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("error: Out of memory. "), HasSubstr("The estimate was "),
                    HasSubstr("Lower train.batch_size (16)"),
                    HasSubstr("The run has no checkpoint yet; start it anew (in its place: --out "
                              "runs/small --overwrite)."),
                    Not(HasSubstr("frame #"))));
  EXPECT_LT(outcome.err.find("memory         "), outcome.err.find("error: Out of memory."))
      << "the estimate is there before anything is asked for";
}
#endif

TEST(TrainVerb, APlainLineHasPercentTimeLeftLossRateAndSpeed) {
  const Outcome& training = trained_workspace().training;
  EXPECT_THAT(training.err,
              ::testing::ContainsRegex(
                  "% +ETA [0-9.]+.*  loss [0-9.]+  lr [0-9.e-]+  [0-9,]+ tokens/s  epoch"));
}

}  // namespace
}  // namespace diffuse::testing
