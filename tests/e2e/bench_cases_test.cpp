// bench: which cases of mode, length and precision are run, and where one ends.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(BenchCases, ByDefaultATrainingStepAForwardPassAndOneText) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, {"bench", "--config", "small.json", "--no-memory", "--device", "cpu", "--threads",
                  "1", "--format", "csv", "--budget", "1e-9"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 7U);
  for (const auto& [line, begin] : {std::pair{1, "train,32,64,cpu,1,small,"},
                                    {2, "train,32,64,cpu,1,DistilBERT,"},
                                    {3, "inference,32,64,cpu,1,small,"},
                                    {5, "inference,1,64,cpu,1,small,"}})
    EXPECT_THAT(lines[line], ::testing::StartsWith(begin));
}

TEST(BenchCases, MemoryIsThatOfTheModelAndItsTraining) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--seq-len", "8", "--mode", "train", "--precision", "fp32", "--format",
                        "json", "--set", "model.dim=1024", "--set", "model.steps=8"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  // Four bytes each of weight, gradient, two moments and average; of the fused kernel the matrices
  // in its own order, for both directions, and two slots of gradients. The allocator and libraries
  // that are loaded on the way come on top.
  const auto parameters = json["models"][0]["parameter_count"].get<double>();
  const double expected = 20 * parameters;
  const double growth =
      json["cases"][0]["models"][0]["measurements"][0]["memory"]["rss_growth_bytes"];
  EXPECT_GT(expected, 150e6);
  EXPECT_GT(growth, expected);
  EXPECT_LT(growth, 1.3 * 36 * parameters + 60e6);
}

TEST(BenchCases, WhatIsBeyondTheBudgetIsNotRun) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--seq-len", "16", "--mode", "train", "--budget", "1e-9"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("not run"), HasSubstr("beyond --budget 1e-09")));
}

TEST(BenchCases, LongerThanItsPositionsIsSaid) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--seq-len", "100", "--mode", "inference", "--no-memory"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, HasSubstr("DistilBERT was given more positions than"));
}

TEST(BenchCases, TheSweepGoesOnAloneWhereTheOtherCannot) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, {"bench", "--config", "small.json", "--sweep", "--mode", "train", "--no-memory",
                  "--threads", "1", "--device", "cpu", "--format", "json", "--budget", "0.05"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_TRUE(json["models"][1]["extended_positions"]);
  const auto& last = json["cases"].back();
  EXPECT_EQ(last["seq_len"], 65536);
  EXPECT_THAT(last["models"][1]["measurements"][0]["not_run"].get<std::string>(),
              ::testing::AnyOf(HasSubstr("of memory are free"), HasSubstr("beyond --budget")));
}

TEST(BenchCases, LengthsAreDrawnAsCurvesOfTimeAndMemory) {
  const Workspace workspace;
  const Outcome outcome =
      run(with_small_baseline(workspace, quick({"--seq-len", "4,8", "--mode", "inference",
                                                "--precision", "fp32", "--format", "html"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  std::size_t charts = 0;
  for (std::size_t at = 0; (at = outcome.out.find("<svg", at)) != std::string::npos; ++at) ++charts;
  EXPECT_EQ(charts, 2U);
}

}  // namespace
}  // namespace diffuse::testing
