// train --baseline and the training of DistilBERT itself, one small enough for a test.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

/// DistilBERT's own training on train.csv.
std::vector<std::string> distilbert_run(const std::string& out, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"train",     "--config",  "distilbert-agnews.json",
                                        "--train",   "train.csv", "--out",
                                        out,         "--device",  "cpu",
                                        "--threads", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
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
  // It is part of the run, which goes on with it and can be replaced.
  const Outcome more = workspace.run({"train", "--resume", "run", "--set", "train.length=3e"});
  EXPECT_EQ(more.exit_code, 0) << more;
  EXPECT_THAT(more.err, HasSubstr(" of DistilBERT ("));
  EXPECT_EQ(
      workspace.run({"train", "--config", "small.json", "--out", "run", "--overwrite"}).exit_code,
      0);
  EXPECT_FALSE(fs::exists(workspace.path() / "run/baseline.json"));
}

TEST(TrainTorchScript, AModuleOfSomebodyElsesByTheSameTrainer) {
  const Workspace workspace;
  const fs::path file =
      fs::path(DIFFUSE_SOURCE_DIR) / "tests/model/fixtures/distilbert/scripted.pt";
  const Outcome outcome = workspace.run(
      {"train", "--config", "small.json", "--out", "run", "--set", "model.type=torchscript",
       "--set", "model.file=" + file.string(), "--set", "train.length=20u"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("test accuracy"));
  // The checkpoint needs nothing but itself.
  fs::create_directories(workspace.path() / "elsewhere");
  fs::copy(fs::canonical(workspace.path() / "run/checkpoints/best"),
           workspace.path() / "elsewhere/checkpoint", fs::copy_options::recursive);
  fs::remove_all(workspace.path() / "run");
  const Outcome eval =
      workspace.run({"eval", "--checkpoint", "elsewhere/checkpoint", "--data", "test.csv"});
  ASSERT_EQ(eval.exit_code, 0) << eval;
  EXPECT_EQ("test " + lines_of(eval.out).at(0), lines_of(outcome.out).at(0));
}

TEST(TrainDistilBert, ByTheSameTrainer) {
  const Workspace workspace;
  Launch launch = with_small_baseline(
      workspace, distilbert_run("run", {"--test", "test.csv", "--set", "train.length=120u", "--set",
                                        "train.learning_rate=0.003", "--set", "train.warmup=10u",
                                        "--set", "train.batch_size=16"}));
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

TEST(TrainDistilBert, StartsFromPretrainedWeights) {
  const Workspace workspace;
  write_pretrained(workspace, "hf");
  const auto loss_of_seed = [&](const std::string& seed, std::vector<std::string> more) {
    const std::string out = "run" + seed + std::to_string(more.size());
    more.insert(more.end(), {"--test", "test.csv", "--set", "train.length=1u", "--set",
                             "train.learning_rate=1e-12", "--set", "train.warmup=0u", "--set",
                             "train.seed=" + seed});
    const std::vector<std::string> arguments = distilbert_run(out, std::move(more));
    const Outcome outcome = run(with_small_baseline(workspace, arguments));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return nlohmann::json::parse(read_file(workspace.path() / out / "test.json"))["mean_loss"]
        .get<double>();
  };
  const std::vector<std::string> pretrained = {"--set", "distilbert.pretrained=hf", "--set",
                                               "tokenizer.vocab=hf/vocab.txt"};
  EXPECT_EQ(loss_of_seed("1", pretrained), loss_of_seed("2", pretrained));
  EXPECT_NE(loss_of_seed("1", {}), loss_of_seed("2", {})) << "random weights";
}

TEST(TrainDistilBert, GoesOnToTheBit) {
  const Workspace workspace;
  const auto arguments = [](const std::string& out, std::vector<std::string> more) {
    more.insert(more.end(), {"--set", "train.length=30u", "--set", "train.warmup=5u"});
    return distilbert_run(out, std::move(more));
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
