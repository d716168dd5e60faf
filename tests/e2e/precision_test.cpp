// train, eval and predict in half precision.

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

std::vector<double> logits(const Workspace& workspace, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"predict",  "--checkpoint", "runs/small",
                                        "--format", "jsonl",        "--logits"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = workspace.run(arguments, "rain and a storm\n");
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  return nlohmann::json::parse(outcome.out)["logits"].get<std::vector<double>>();
}

TEST(PrecisionFlag, PredictComputesInIt) {
  const Workspace& workspace = trained_workspace().workspace;
  const std::vector<double> exact = logits(workspace, {"--precision", "fp32"});
  EXPECT_EQ(logits(workspace, {}), exact) << "as the model was trained";
  EXPECT_EQ(logits(workspace, {"--precision", "auto", "--device", "cpu"}), exact);
  for (const char* half : {"bf16", "fp16"}) {
    const std::vector<double> found = logits(workspace, {"--precision", half});
    ASSERT_EQ(found.size(), exact.size());
    EXPECT_NE(found, exact);
    for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(found[i], exact[i], 0.1) << half;
  }
}

TEST(PrecisionFlag, EvalTakesTheTrainingsOwn) {
  Workspace workspace;
  ASSERT_EQ(workspace
                .run({"train", "--config", "small.json", "--set", "train.length=8u", "--set",
                      "train.precision=bf16", "--device", "cpu"})
                .exit_code,
            0);
  const auto loss = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"eval", "--checkpoint", "runs/small", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return nlohmann::json::parse(workspace.run(arguments).out)["mean_loss"].get<double>();
  };
  const double tested =
      nlohmann::json::parse(read_file(workspace.path() / "runs/small/test.json"))["mean_loss"];
  EXPECT_EQ(loss({}), tested);
  EXPECT_EQ(loss({"--precision", "bf16"}), tested);
  EXPECT_NE(loss({"--precision", "fp32"}), tested);
}

TEST(ComparePrecision, TellsErrorsAndFlippedLabels) {
  const Workspace& workspace = trained_workspace().workspace;
  const Outcome outcome =
      workspace.run({"eval", "--checkpoint", "runs/small", "--compare-precision", "bf16,fp16"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 6U) << outcome;
  EXPECT_THAT(lines[0], MatchesRegex("accuracy  .* %  \\[.*\\]  n = 60  in fp32"));
  EXPECT_THAT(lines[2], MatchesRegex("precision +largest logit error +mean logit error +flipped "
                                     "labels +accuracy +examples/s"));
  EXPECT_THAT(lines[3], MatchesRegex("fp32 .*"));
  EXPECT_THAT(lines[4], MatchesRegex("bf16 +0\\.[0-9]+ +0\\.[0-9]+ +[0-9]+ of 60 .*"));
  EXPECT_THAT(lines[5], MatchesRegex("fp16 +0\\.[0-9]+ +[0-9.e-]+ +[0-9]+ of 60 .*"));
}

TEST(ComparePrecision, AsJsonWithNearerAnswersInFp16) {
  const Workspace& workspace = trained_workspace().workspace;
  const Outcome outcome = workspace.run(
      {"eval", "--checkpoint", "runs/small", "--compare-precision", "fp32,bf16,fp16", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["count"], 60);
  const auto& found = json["precisions"];
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0]["largest_logit_error"], 0);
  const double bf16 = found[1]["mean_logit_error"];
  const double fp16 = found[2]["mean_logit_error"];
  EXPECT_GT(bf16, fp16);
  EXPECT_GT(fp16, 0);
  EXPECT_LE(bf16, found[1]["largest_logit_error"].get<double>());
}

TEST(ComparePrecision, ComputesEachAsTheKernelThatIsAskedForDoes) {
  const Workspace& workspace = trained_workspace().workspace;
  const auto error_of_bf16 = [&](const char* kernel) {
    const Outcome outcome =
        workspace.run({"eval", "--checkpoint", "runs/small", "--device", "cpu",
                       "--compare-precision", "bf16", "--kernel", kernel, "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return nlohmann::json::parse(outcome.out)["precisions"][0]["mean_logit_error"].get<double>();
  };
  EXPECT_GT(error_of_bf16("fused"), 0);
  // Tensor operations round what comes out of a product, too.
  EXPECT_GT(error_of_bf16("reference"), error_of_bf16("fused"));
  EXPECT_EQ(error_of_bf16("auto"), error_of_bf16("fused"));
  const Outcome half = workspace.run({"eval", "--checkpoint", "runs/small", "--device", "cpu",
                                      "--compare-precision", "fp16", "--kernel", "fused"});
  EXPECT_EQ(half.exit_code, 2) << half;
  EXPECT_THAT(half.err, HasSubstr("--kernel fused cannot be had here: the fused kernel computes in "
                                  "fp32 or bf16."));
}

TEST(ComparePrecision, RefusesWhatSpeaksOfOneEvaluation) {
  const Workspace& workspace = trained_workspace().workspace;
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--precision", "bf16"}, "--precision cannot stand beside it"},
      {{"--output", "p.tsv"}, "--output cannot stand beside it"},
      {{"--reach"}, "--reach cannot stand beside it"}};
  for (const auto& [more, message] : cases) {
    std::vector<std::string> arguments = {"eval", "--checkpoint", "runs/small",
                                          "--compare-precision", "bf16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = workspace.run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

TEST(PrecisionFlag, AWrongNameIsRefused) {
  const Workspace& workspace = trained_workspace().workspace;
  for (const char* flag : {"--precision", "--compare-precision"}) {
    const Outcome outcome = workspace.run({"eval", "--checkpoint", "runs/small", flag, "bf17"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("bf17 is not one of"), HasSubstr("mean bf16?")));
  }
  const Outcome automatic =
      workspace.run({"eval", "--checkpoint", "runs/small", "--compare-precision", "auto"});
  EXPECT_EQ(automatic.exit_code, 2) << automatic;
}

}  // namespace
}  // namespace diffuse::testing
