// bench, with a DistilBERT small enough for a test.

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

TEST(Bench, ComparesWithDistilBertOnRandomTexts) {
  const Workspace workspace;
  const Outcome outcome = run(with_small_baseline(
      workspace, quick({"--seq-len", "8,16", "--format", "json", "--precision", "fp32,bf16"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["models"][1]["name"], "DistilBERT");
  EXPECT_EQ(json["models"][1]["weights"], "random");
  EXPECT_EQ(json["epoch_rows"], 210);
  ASSERT_EQ(json["cases"].size(), 4U);
  for (const auto& one : json["cases"]) {
    ASSERT_EQ(one["models"].size(), 2U);
    for (const auto& model : one["models"]) {
      ASSERT_EQ(model["measurements"].size(), 2U);
      EXPECT_EQ(model["measurements"][1]["precision"], "bf16");
      for (const auto& m : model["measurements"]) {
        EXPECT_GE(m["samples_s"].size(), 3U);
        EXPECT_EQ(m["warm_up_calls"], 10);
        EXPECT_GT(m["memory"]["rss_growth_bytes"], 0);
        EXPECT_EQ(m["tokens_per_call"], 4 * one["seq_len"].get<int>());
      }
    }
    EXPECT_GT(one["models"][1]["time_ratio"]["value"], 0);
  }
  EXPECT_THAT(json["sentences"][0].get<std::string>(),
              MatchesRegex("On this machine .CPU, 1 thread. a training step of 4 texts of 16 "
                           "tokens takes small .* and DistilBERT .* times as long, with .*"));
  for (const char* key : {"diffuse", "LibTorch", "threads", "processor", "clocks"})
    EXPECT_TRUE(json["environment"].contains(key)) << key;
  EXPECT_THAT(json["environment"]["fused kernel"].get<std::string>(),
              MatchesRegex("AVX-512|AVX-512, in bf16 AMX|AVX2|SSSE3"));
}

TEST(Bench, ASignalEndsItWithTheCasesThatAreWhole) {
  const Workspace workspace;
  const auto json = report_stopped_in(
      with_small_baseline(
          workspace, quick({"--seq-len", "8,4096", "--mode", "train", "--no-memory", "--format",
                            "json", "--precision", "fp32", "--budget", "100000"})),
      "train 4 x 4096");
  ASSERT_EQ(json["cases"].size(), 1U);
  EXPECT_EQ(json["cases"][0]["seq_len"], 8);
  EXPECT_THAT(json["remarks"].dump(), HasSubstr("stopped after 1 of 2 cases"));
}

TEST(Bench, CtrlCWhileMemoryIsMeasuredKeepsWhatIsThere) {
  const Workspace workspace;
  Launch launch =
      with_small_baseline(workspace, quick({"--seq-len", "8,16", "--mode", "inference", "--format",
                                            "json", "--precision", "fp32"}));
  launch.own_group = true;
  Process process(launch);
  ASSERT_TRUE(process.wait_for_stderr("inference 4 x 16 tokens: memory of"));
  ::usleep(100'000);  // the process that measures has begun; it takes longer than this to start
  process.signal_group(SIGINT);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.exit_code, 130) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("Stopped by SIGINT; the report holds 1 of 2 cases"),
                                 ::testing::Not(HasSubstr("failed"))));
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["cases"].size(), 1U);
}

TEST(Bench, EachCaseTellsWhichPrecisionsWereTried) {
  const Workspace workspace;
  const Outcome outcome = run(
      with_small_baseline(workspace, quick({"--seq-len", "8", "--no-memory", "--format", "json"})));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  for (const auto& one : json["cases"]) {
    for (const auto& model : one["models"]) {
      const auto& tried = model["tried"];
      ASSERT_EQ(tried.size(), 2U);
      EXPECT_EQ(tried[0]["precision"], "fp32");
      EXPECT_EQ(tried[1]["precision"], "bf16");
      const std::size_t fastest = tried[0]["call_s"] <= tried[1]["call_s"] ? 0 : 1;
      ASSERT_EQ(model["measurements"].size(), 1U);
      EXPECT_EQ(model["measurements"][0]["precision"], tried[fastest]["precision"]);
    }
  }
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
  EXPECT_GT(one["models"][1]["measurements"][0]["tokens_per_call"].get<double>(),
            one["models"][0]["measurements"][0]["tokens_per_call"].get<double>());
  EXPECT_EQ(one["models"][0]["measurements"][0]["examples_per_call"],
            one["models"][1]["measurements"][0]["examples_per_call"]);
  EXPECT_EQ(json["epoch_rows"], 60);
}

TEST(Bench, AReportThatIsNoneIsRefused) {
  const Workspace workspace;
  workspace.write("bad.json", R"({"models": [{"name": 3}]})");
  const Outcome outcome = workspace.run({"bench", "--from", "bad.json"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("bad.json: models 1: \"name\" is 3"));
  const Outcome missing = workspace.run({"bench", "--from", "none.json"});
  EXPECT_EQ(missing.exit_code, 2) << missing;
  EXPECT_THAT(missing.err, HasSubstr("--from none.json: cannot be opened: No such file or "
                                     "directory. Expected a report that --format json wrote."));
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

TEST(Bench, TellsWhichKernelRan) {
  const Workspace workspace;
  const auto measured = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments =
        quick({"--seq-len", "8", "--no-memory", "--format", "json", "--compare", "small.json"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(with_small_baseline(workspace, arguments));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return nlohmann::json::parse(outcome.out);
  };
  const auto reference = measured({"--kernel", "reference", "--precision", "fp32"});
  for (const auto& one : reference["cases"]) {
    EXPECT_EQ(one["models"][0]["measurements"][0]["kernel"], "reference");
    EXPECT_EQ(one["models"][1]["measurements"][0]["kernel"], "fused") << "its own config's";
  }
  EXPECT_FALSE(reference["environment"]["fused kernel"].get<std::string>().empty());
  const auto both = measured({"--precision", "bf16,fp16", "--mode", "inference"});
  EXPECT_EQ(both["cases"][0]["models"][0]["measurements"][0]["kernel"], "fused");
  EXPECT_EQ(both["cases"][0]["models"][0]["measurements"][1]["kernel"], "reference");
  const auto fused = measured({"--kernel", "fused", "--mode", "train"});
  EXPECT_EQ(fused["cases"][0]["models"][0]["measurements"][0]["kernel"], "fused");
  EXPECT_EQ(fused["cases"][0]["models"][0]["tried"].size(), 2U) << "fp32 and bf16";
}

TEST(Bench, AFusedKernelThatCannotBeHadIsRefused) {
  const Workspace workspace;
  const Outcome half =
      run(with_small_baseline(workspace, quick({"--kernel", "fused", "--precision", "fp32,fp16"})));
  EXPECT_EQ(half.exit_code, 2) << half;
  EXPECT_THAT(half.err, AllOf(HasSubstr("--kernel fused cannot be had here: the fused kernel "
                                        "computes in fp32 or bf16. Leave it out, or take auto."),
                              ::testing::Not(HasSubstr("rows,"))));
  const Outcome transformer = run(with_small_baseline(
      workspace, {"bench", "--config", "distilbert-agnews.json", "--kernel", "fused"}));
  EXPECT_EQ(transformer.exit_code, 2) << transformer;
  EXPECT_THAT(transformer.err, HasSubstr("only a diffusion model has a fused kernel"));
}

TEST(Bench, MistakesAreToldBeforeTheWork) {
  const Workspace workspace;
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--compare", "gone.pt"}, "gone.pt"},
      {{"--compare", "gone"}, "gone: there is no such config file"},
      {{"--compare", ""}, "--compare: empty; expected distilbert, bert,"},
      {{"--budget", "0"}, "--budget"},
      {{"--seq-len", "0"}, "--seq-len"},
      {{"--precision", "fp8"}, "fp8 is not one of"},
      {{"--kernel", "fast"}, "fast is not one of auto, fused, operations, reference"},
      {{"--output", "no/where"}, "there is no folder"},
      {{"--data", "gone.csv"}, "gone.csv"},
      {{"--data", "test.csv", "--seq-len", "8"}, "--seq-len excludes --data"},
      {{"--pretrained", "gone", "--compare", "small.json"},
       "--pretrained gone: these are weights for distilbert or bert; expected one of them in "
       "--compare small.json."},
      {{"--set", "model.dmi=3"}, "model.dmi"},
      {{"--set", "model.dim=0", "--set", "ngrams.max=1"},
       "small: model.dim = 0 has no network, which is what bench measures"},
      {{"--set", "one", "--set", "two"}, "--set one: expected key=value"},
      {{"--set", "one", "--set", "two"}, "--set two: expected key=value"}};
  for (const auto& [more, message] : cases) {
    const Outcome outcome = run(with_small_baseline(workspace, quick(more)));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(message), ::testing::Not(HasSubstr("rows,"))))
        << "before the data are read";
  }
  const Outcome both =
      run(with_small_baseline(workspace, quick({"--compare", "gone", "--data", "gone.csv"})));
  EXPECT_THAT(both.err, AllOf(HasSubstr("gone: there is no such config file"),
                              HasSubstr("--data gone.csv: there is no such file")));
  const Outcome outcome = run(with_small_baseline(
      workspace, {"bench", "--checkpoint", "runs/small", "--set", "model.dim=3"}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("--checkpoint excludes --set"));
}

}  // namespace
}  // namespace diffuse::testing
