// train.kernel and --kernel: what they run, and what they refuse.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"
#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(KernelFlag, EvalAndPredictAnswerTheSameByEither) {
  const Workspace& workspace = trained_workspace().workspace;
  const auto logits = [&](const char* kernel) {
    const Outcome outcome =
        workspace.run({"predict", "--checkpoint", "runs/small", "--format", "jsonl", "--logits",
                       "--device", "cpu", "--precision", "fp32", "--kernel", kernel},
                      "rain and a storm\n");
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return nlohmann::json::parse(outcome.out)["logits"].get<std::vector<double>>();
  };
  const std::vector<double> fused = logits("fused");
  const std::vector<double> reference = logits("reference");
  EXPECT_EQ(logits("auto"), fused);
  ASSERT_EQ(reference.size(), fused.size());
  for (std::size_t i = 0; i < fused.size(); ++i) EXPECT_NEAR(fused[i], reference[i], 1e-4);
}

TEST(KernelFlag, WhatCannotBeFusedIsRefused) {
  const Workspace& workspace = trained_workspace().workspace;
  for (const char* verb : {"eval", "predict"}) {
    const Outcome outcome = workspace.run({verb, "--checkpoint", "runs/small", "--device", "cpu",
                                           "--precision", "fp16", "--kernel", "fused"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr("--kernel fused cannot be had here: the fused kernel "
                                       "computes in fp32 or bf16. Leave it out, or take auto."));
  }
}

TEST(TrainKernel, TheStartUpTableTellsHowBf16IsComputed) {
  const Workspace workspace;
  const auto told = [&](const std::string& precision) {
    return workspace
        .run({"train", "--config", "small.json", "--device", "cpu", "--dry-run", "--set",
              "train.precision=" + precision})
        .out;
  };
  EXPECT_THAT(told("bf16"), ContainsRegex("kernel +fused, [^;]*bf16 instructions"));
  EXPECT_THAT(told("fp32"), AllOf(ContainsRegex("kernel +fused, "), Not(HasSubstr("bf16"))));
}

TEST(TrainKernel, TheStartUpTableTellsWhichRowsAreUpdated) {
  const Workspace workspace;
  const auto kernel = [&](const std::string& setting) {
    const std::string out = workspace
                                .run({"train", "--config", "small.json", "--device", "cpu",
                                      "--dry-run", "--json", "--set", setting})
                                .out;
    return nlohmann::json::parse(out).at("kernel").get<std::string>();
  };
  EXPECT_THAT(kernel("train.seed=1"), ContainsRegex("^fused, .*; touched rows of the embedding"));
  for (const char* dense : {"train.embedding_update=dense", "train.beta1=0.9999"})
    EXPECT_THAT(kernel(dense), ContainsRegex("^fused, .*; all rows of the embedding"));
  EXPECT_THAT(kernel("train.kernel=reference"),
              ContainsRegex("^LibTorch.s operations; all rows of the embedding"));
}

TEST(TrainKernel, TheStartUpTableTellsWhatComputesARival) {
  const Workspace workspace;
  const auto told = [&](const std::string& type) {
    return workspace
        .run({"train", "--config", "small.json", "--device", "cpu", "--dry-run", "--set",
              "model.type=" + type, "--set", "mixer.head_dim=8"})
        .out;
  };
  EXPECT_THAT(told("transformer"), ContainsRegex("kernel +SDPA"));
  EXPECT_THAT(told("mamba"), ContainsRegex("kernel +tensor operations"));
}

TEST(TrainKernel, FusedIsRefusedBeforeTheDataAreRead) {
  const Workspace workspace;
  const Outcome half = workspace.run({"train", "--config", "small.json", "--device", "cpu", "--set",
                                      "train.kernel=fused", "--set", "train.precision=fp16"});
  EXPECT_EQ(half.exit_code, 2) << half;
  EXPECT_THAT(half.err, AllOf(HasSubstr("train.kernel = fused cannot be had here: the fused kernel "
                                        "computes in fp32 or bf16. Set it to 'auto'."),
                              Not(HasSubstr("rows,"))));
  const Outcome transformer = run(with_small_baseline(
      workspace, {"train", "--config", "distilbert-agnews.json", "--train", "train.csv", "--test",
                  "test.csv", "--device", "cpu", "--set", "train.kernel=fused"}));
  EXPECT_EQ(transformer.exit_code, 2) << transformer;
  EXPECT_THAT(transformer.err, HasSubstr("only a diffusion model has a fused kernel"));
}

}  // namespace
}  // namespace diffuse::testing
