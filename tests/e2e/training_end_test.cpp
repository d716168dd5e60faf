// How a training ends: diverged, out of time, or twice the same.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

Outcome train(const Workspace& workspace, const std::string& out,
              const std::vector<std::string>& settings) {
  std::vector<std::string> arguments = {"train", "--config", "small.json", "--out", out};
  for (const std::string& setting : settings) {
    arguments.emplace_back("--set");
    arguments.push_back(setting);
  }
  return workspace.run(arguments);
}

std::vector<nlohmann::json> metrics(const Workspace& workspace, const std::string& type) {
  std::vector<nlohmann::json> found;
  for (const std::string& line : lines_of(read_file(workspace.path() / "run/metrics.jsonl"))) {
    nlohmann::json json = nlohmann::json::parse(line);
    if (json["type"] == type) found.push_back(std::move(json));
  }
  return found;
}

/// Steps that share their weights and a rate that throws these far off: infinite within a few
/// updates.
const std::vector<std::string> kExploding = {"model.norm=none",          "model.steps=8",
                                             "model.share_weights=true", "train.learning_rate=10",
                                             "train.clip_norm=0",        "train.evaluate_every=1u"};

TEST(TrainDiverged, NamesTheUpdateItsRowsAndWhatToChange) {
  const Workspace workspace;
  const Outcome outcome = train(workspace, "run", kExploding);
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, ContainsRegex("Training diverged at update [0-9]+: the "
                                         "(loss|gradient norm) is (nan|inf)"));
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr("learning rate "), HasSubstr("gradient norm "), HasSubstr("Its batch: rows "),
            HasSubstr("train.csv"), HasSubstr("Lower train.learning_rate (10)"),
            HasSubstr("train.clip_norm (0, which is off)"), Not(HasSubstr("frame #"))));

  const std::vector<nlohmann::json> diverged = metrics(workspace, "diverged");
  ASSERT_EQ(diverged.size(), 1U);
  const auto& rows = diverged[0]["rows"];
  EXPECT_EQ(rows.size(), 16U) << "all of the batch";
  for (const auto& row : rows) {
    EXPECT_GE(row, 1);
    EXPECT_LE(row, 210);
  }
  const std::string first_row = rows[0].dump();
  EXPECT_THAT(outcome.err, HasSubstr("Its batch: rows " + first_row + ", "));
}

TEST(TrainDiverged, TheLastGoodCheckpointAndTheReportAreThere) {
  const Workspace workspace;
  const Outcome outcome = train(workspace, "run", kExploding);
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("The last good checkpoint is run/checkpoints/0"));
  EXPECT_EQ(workspace.run({"eval", "--checkpoint", "run/checkpoints/last"}).exit_code, 0);
  EXPECT_THAT(read_file(workspace.path() / "run/report.html"), HasSubstr("diverged"));
}

TEST(TrainDiverged, InFloat16TheScaleIsTold) {
  const Workspace workspace;
  const Outcome outcome =
      train(workspace, "run",
            {"train.precision=fp16", "model.norm=none", "model.steps=8",
             "model.embedding_init_std=100", "train.learning_rate=10", "train.clip_norm=0"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.err, AllOf(ContainsRegex("loss scale [0-9]+"),
                                 HasSubstr("or choose train.precision = bf16 or fp32"),
                                 HasSubstr("No checkpoint had been written yet.")));
  EXPECT_TRUE(metrics(workspace, "diverged").at(0).contains("loss_scale"));
}

TEST(TrainMinutes, EndsWhenTheTimeIsUpWithTheRateAtItsEnd) {
  const Workspace workspace;
  const Outcome outcome =
      train(workspace, "run", {"train.length=0.02m", "train.log_every=1", "train.patience=0"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("for 1.2s"));
  const nlohmann::json start = metrics(workspace, "start").at(0);
  EXPECT_EQ(start["total_updates"], nullptr);
  const nlohmann::json done = metrics(workspace, "done").at(0);
  EXPECT_GE(done["training_time_s"], 1.2);
  const std::vector<nlohmann::json> lines = metrics(workspace, "train");
  ASSERT_GT(lines.size(), 2U);
  EXPECT_EQ(lines.back()["update"], done["updates"]);
  // The cosine follows the time that has gone by.
  EXPECT_LT(lines.back()["lr"].get<double>(), 0.02 * 0.1);
}

TEST(TrainTwice, TheSameBytesInFloat32AndBfloat16) {
  const Workspace workspace;
  for (const std::string precision : {"fp32", "bf16"}) {
    const std::vector<std::string> settings = {"train.length=20u", "train.threads=2",
                                               "model.noise_std=0.1",
                                               "train.precision=" + precision};
    ASSERT_EQ(train(workspace, precision + "-1", settings).exit_code, 0);
    ASSERT_EQ(train(workspace, precision + "-2", settings).exit_code, 0);
    for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
      const auto bytes = [&](const std::string& run) {
        return read_file(workspace.path() / run / "checkpoints/last" / file);
      };
      EXPECT_EQ(bytes(precision + "-1"), bytes(precision + "-2")) << precision << " " << file;
      EXPECT_FALSE(bytes(precision + "-1").empty());
    }
  }
  EXPECT_NE(read_file(workspace.path() / "fp32-1/checkpoints/last/model.safetensors"),
            read_file(workspace.path() / "bf16-1/checkpoints/last/model.safetensors"));
}

}  // namespace
}  // namespace diffuse::testing
