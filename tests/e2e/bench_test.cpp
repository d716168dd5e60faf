// bench, and train --baseline, with a DistilBERT small enough for a test.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

namespace fs = std::filesystem;

/// The program finds its baseline's config in this folder.
Launch with_small_baseline(const Workspace& workspace, std::vector<std::string> arguments) {
  fs::create_directories(workspace.path() / "configs");
  fs::copy_file(fs::path(DIFFUSE_SOURCE_DIR) / "data/bert-base-uncased/vocab.txt",
                workspace.path() / "configs/vocab.txt", fs::copy_options::skip_existing);
  workspace.write("configs/distilbert-agnews.json", R"({
    "tokenizer": {"type": "wordpiece", "vocab": "vocab.txt", "special_tokens": true, "max_tokens": 32},
    "model": {"type": "distilbert"},
    "distilbert": {"dim": 16, "layers": 2, "heads": 2, "hidden_dim": 32, "max_positions": 64,
                   "init_std": 0.3, "dropout": 0},
    "train": {"ema_decay": 0}
  })");
  Launch launch = workspace.launch(std::move(arguments));
  launch.environment.emplace_back("DIFFUSE_CONFIGS", (workspace.path() / "configs").string());
  return launch;
}

std::vector<std::string> quick(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"bench",     "--config", "small.json", "--batch-size", "4",
                                        "--threads", "1",        "--device",   "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Bench, ComparesWithDistilBertOnRandomTexts) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--seq-len", "8,16", "--format", "json", "--precision", "fp32,bf16"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["other"]["name"], "DistilBERT");
  EXPECT_EQ(json["other"]["weights"], "random");
  EXPECT_EQ(json["epoch_rows"], 210);
  ASSERT_EQ(json["cases"].size(), 4U);
  for (const auto& one : json["cases"]) {
    for (const char* side : {"ours", "other"}) {
      ASSERT_EQ(one[side].size(), 2U);
      EXPECT_EQ(one[side][1]["precision"], "bf16");
      for (const auto& m : one[side]) {
        EXPECT_GE(m["samples_s"].size(), 3U);
        EXPECT_EQ(m["warm_up_calls"], 10);
        EXPECT_GT(m["memory"]["rss_growth_bytes"], 0);
        EXPECT_EQ(m["tokens_per_call"], 4 * one["seq_len"].get<int>());
      }
    }
    EXPECT_GT(one["time_ratio"]["value"], 0);
  }
  EXPECT_THAT(json["sentence"].get<std::string>(),
              MatchesRegex("On this machine .CPU, 1 threads. a training step of 4 texts of 16 "
                           "tokens takes small .* and DistilBERT .* times as long, with .*"));
  for (const char* key : {"diffuse", "LibTorch", "threads", "processor", "clocks"})
    EXPECT_TRUE(json["environment"].contains(key)) << key;
}

TEST(Bench, OnRealTextsEachModelHasItsOwnTokens) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--data", "test.csv", "--mode", "train", "--format", "json"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["cases"].size(), 1U);
  const auto& one = json["cases"][0];
  EXPECT_EQ(one["seq_len"], "text");
  // Words, and pieces between [CLS] and [SEP].
  EXPECT_GT(one["other"][0]["tokens_per_call"].get<double>(),
            one["ours"][0]["tokens_per_call"].get<double>());
  EXPECT_EQ(one["ours"][0]["examples_per_call"], one["other"][0]["examples_per_call"]);
  EXPECT_EQ(json["epoch_rows"], 60);
}

TEST(Bench, WhatIsBeyondTheBudgetIsNotRun) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--seq-len", "16", "--mode", "train", "--budget", "1e-9"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("not run"), HasSubstr("beyond --budget 1e-09")));
}

TEST(Bench, LongerThanItsPositionsIsSaid) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--seq-len", "100", "--mode", "inference", "--no-memory"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("DistilBERT was given more positions than"));
}

TEST(Bench, TheSweepGoesOnAloneWhereTheOtherCannot) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, {"bench", "--config", "small.json", "--sweep", "--mode", "train", "--no-memory",
                  "--threads", "1", "--device", "cpu", "--format", "json", "--budget", "0.05"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_TRUE(json["other"]["extended_positions"]);
  const auto& last = json["cases"].back();
  EXPECT_EQ(last["seq_len"], 65536);
  EXPECT_EQ(last["other"][0]["not_run"], "longer than its 4096 positions");
}

TEST(Bench, TwoCheckpointsAlsoByTheirAccuracy) {
  const Workspace workspace;
  for (const char* seed : {"1", "2"})
    ASSERT_EQ(workspace
                  .run({"train", "--config", "small.json", "--set", "train.length=3u", "--set",
                        "train.warmup=0u", "--set", std::string("train.seed=") + seed, "--out",
                        std::string("run") + seed})
                  .exit_code,
              0);
  const Outcome outcome =
      workspace.run({"bench", "--checkpoint", "run1", "--compare", "run2", "--batch-size", "2",
                     "--seq-len", "4", "--mode", "inference", "--no-memory", "--format", "json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["accuracy"]["ours"],
            nlohmann::json::parse(read_file(workspace.path() / "run1/test.json"))["accuracy"]);
  EXPECT_EQ(json["accuracy"]["other"],
            nlohmann::json::parse(read_file(workspace.path() / "run2/test.json"))["accuracy"]);
  EXPECT_TRUE(json["accuracy"]["paired"].contains("mcnemar_p_value"));
}

TEST(Bench, EveryFormatAndAFile) {
  const Workspace workspace;
  const std::vector<std::pair<std::string, std::string>> formats = {
      {"md", "# small against DistilBERT"},
      {"csv", "mode,batch_size"},
      {"html", "<!DOCTYPE html>"}};
  for (const auto& [format, begin] : formats) {
    const Outcome outcome = run(with_small_baseline(
        workspace, quick({"--seq-len", "4", "--mode", "inference", "--no-memory", "--format",
                          format, "--output", "report"})));
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(read_file(workspace.path() / "report"), ::testing::StartsWith(begin));
  }
}

TEST(Bench, MistakesAreToldBeforeTheWork) {
  const Workspace workspace;
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--compare", "gone.pt"}, "gone.pt"},
      {{"--compare", "gone"}, "gone: there is no such config file"},
      {{"--seq-len", "0"}, "--seq-len"},
      {{"--precision", "fp8"}, "fp8 is not one of"},
      {{"--output", "no/where"}, "there is no folder"},
      {{"--data", "gone.csv"}, "gone.csv"},
      {{"--data", "test.csv", "--seq-len", "8"}, "--seq-len excludes --data"},
      {{"--pretrained", "gone", "--compare", "small.json"},
       "--pretrained gone: these are weights for --compare distilbert; with --compare small.json "
       "leave it out."},
      {{"--set", "model.dmi=3"}, "model.dmi"},
      {{"--set", "one", "--set", "two"}, "--set one: expected key=value"},
      {{"--set", "one", "--set", "two"}, "--set two: expected key=value"}};
  for (const auto& [more, message] : cases) {
    const Outcome outcome = run(with_small_baseline(workspace, quick(more)));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
  const Outcome outcome = run(with_small_baseline(
      workspace, {"bench", "--checkpoint", "runs/small", "--set", "model.dim=3"}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("--checkpoint excludes --set"));
}

TEST(TrainBaseline, EveryEpochTellsBothTimesAndMemories) {
  const Workspace workspace;
  const Outcome outcome =
      run(with_small_baseline(workspace, {"train", "--config", "small.json", "--out", "run",
                                          "--baseline", "distilbert", "--set", "train.length=2e"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("measuring DistilBERT on the same rows"),
                                 HasSubstr(" of DistilBERT (")));
  std::size_t epochs = 0;
  for (const std::string& line : lines_of(read_file(workspace.path() / "run/metrics.jsonl"))) {
    const auto json = nlohmann::json::parse(line);
    if (json["type"] != "epoch") continue;
    ++epochs;
    const auto& baseline = json["baseline"];
    EXPECT_EQ(baseline["model"], "DistilBERT");
    EXPECT_NEAR(baseline["time_ratio"],
                baseline["epoch_time_s"].get<double>() / json["epoch_time_s"].get<double>(), 1e-6);
    EXPECT_NEAR(baseline["memory_ratio"],
                baseline["peak_memory_bytes"].get<double>() /
                    json["peak_memory_bytes"]["host_rss"].get<double>(),
                1e-6);
  }
  EXPECT_EQ(epochs, 2U);
  EXPECT_TRUE(fs::exists(workspace.path() / "run/baseline.json"));
}

TEST(TrainDistilBert, ByTheSameTrainer) {
  const Workspace workspace;
  Launch launch = with_small_baseline(workspace, {"train",
                                                  "--config",
                                                  "distilbert-agnews.json",
                                                  "--train",
                                                  "train.csv",
                                                  "--test",
                                                  "test.csv",
                                                  "--out",
                                                  "run",
                                                  "--set",
                                                  "train.length=120u",
                                                  "--set",
                                                  "train.learning_rate=0.003",
                                                  "--set",
                                                  "train.warmup=10u",
                                                  "--set",
                                                  "train.batch_size=16",
                                                  "--device",
                                                  "cpu",
                                                  "--threads",
                                                  "1"});
  const Outcome outcome = run(launch);
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto test = nlohmann::json::parse(read_file(workspace.path() / "run/test.json"));
  EXPECT_GT(test["accuracy"], 0.9) << "three easy classes";
  // The checkpoint needs nothing but itself.
  const TempDir elsewhere;
  fs::copy(fs::canonical(workspace.path() / "run/checkpoints/best"), elsewhere.path() / "copy",
           fs::copy_options::recursive);
  elsewhere.write("test.csv", easy_csv(60, 1000));
  Launch eval = workspace.launch({"eval", "--checkpoint", "copy", "--data", "test.csv", "--json"});
  eval.directory = elsewhere.path();
  const Outcome evaluated = run(eval);
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated;
  EXPECT_EQ(nlohmann::json::parse(evaluated.out)["confusion"], test["confusion"]);
}

TEST(TrainDistilBert, GoesOnToTheBit) {
  const Workspace workspace;
  const auto arguments = [](const std::string& out, std::vector<std::string> more) {
    std::vector<std::string> all = {"train",   "--config",        "distilbert-agnews.json",
                                    "--train", "train.csv",       "--out",
                                    out,       "--set",           "train.length=30u",
                                    "--set",   "train.warmup=5u", "--device",
                                    "cpu",     "--threads",       "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  ASSERT_EQ(run(with_small_baseline(workspace, arguments("whole", {}))).exit_code, 0);
  ASSERT_EQ(
      run(with_small_baseline(workspace, arguments("half", {"--set", "train.max_updates=13"})))
          .exit_code,
      0);
  ASSERT_EQ(workspace.run({"train", "--resume", "half", "--set", "train.max_updates=0"}).exit_code,
            0);
  for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
    EXPECT_EQ(read_file(workspace.path() / "whole/checkpoints/last" / file),
              read_file(workspace.path() / "half/checkpoints/last" / file))
        << file;
  }
}

}  // namespace
}  // namespace diffuse::testing
