#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(CommandLine, AloneShowsHelpAndIsAMistake) {
  const Outcome outcome = run(std::vector<std::string>{});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("train"), HasSubstr("eval"), HasSubstr("predict"),
                                 HasSubstr("config"), HasSubstr("version"), HasSubstr("Examples:"),
                                 HasSubstr("Exit codes"), HasSubstr("129, 130, 143 and 152")));
}

TEST(CommandLine, EveryVerbHasHelpWithExamples) {
  for (const char* verb : {"train", "eval", "predict", "config", "selftest", "version"}) {
    const Outcome outcome = run({verb, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << verb << outcome;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("Examples:"), HasSubstr("diffuse " + std::string(verb))))
        << verb;
    EXPECT_THAT(outcome.err, IsEmpty());
  }
}

TEST(CommandLine, AMistypedVerbIsNamedWithTheNearest) {
  const Outcome outcome = run({"trian", "--config", "x.json"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("trian is not a verb of diffuse."),
                                 HasSubstr("Did you mean train?")));
}

TEST(CommandLine, AMistypedFlagIsNamedWithTheNearest) {
  const Outcome outcome = run({"eval", "--checkpoint", "x", "--devise=cpu"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("--devise=cpu is not a flag of diffuse eval."),
                    HasSubstr("Did you mean --device?"), HasSubstr("diffuse eval --help")));
}

TEST(CommandLine, AllUnknownFlagsAreNamed) {
  const Outcome outcome = run({"train", "--config", "r8", "--bogus", "1", "--trian", "x"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--bogus is not a flag of diffuse train"),
                                 HasSubstr("--trian is not a flag of diffuse train. Did you mean "
                                           "--train?")));
}

TEST(CommandLine, AMissingFlagIsNamed) {
  for (const char* verb : {"eval", "predict"}) {
    const Outcome outcome = run({verb});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr("--checkpoint is required")) << verb;
  }
}

TEST(CommandLine, AValueThatIsNotAllowedIsNamed) {
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{"predict", "--checkpoint", "x", "--threads", "many"}, "--threads"},
      {{"predict", "--checkpoint", "x", "--threads", "-1"}, "--threads"},
      {{"predict", "--checkpoint", "x", "--batch-size", "0"}, "--batch-size"},
      {{"predict", "--checkpoint", "x", "--top", "0"}, "--top"},
      {{"predict", "--checkpoint", "x", "--format", "xml"}, "--format"},
      {{"predict", "--checkpoint", "x", "--input-format", "xml"}, "--input-format"},
      {{"version", "--log-level", "loud"}, "--log-level"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = run(c.arguments);
    EXPECT_EQ(outcome.exit_code, 2) << c.message << outcome;
    EXPECT_THAT(outcome.out, IsEmpty()) << c.message;
    EXPECT_THAT(outcome.err, HasSubstr(c.message));
  }
}

TEST(CommandLine, DeviceNamesAreChecked) {
  const Outcome outcome = run({"eval", "--checkpoint", "x", "--device", "tpu"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("tpu"), HasSubstr("cpu")));
}

TEST(CommandLine, AMissingCheckpointSaysWhatWasLookedFor) {
  Workspace workspace;
  for (const char* verb : {"eval", "predict"}) {
    const Outcome outcome = workspace.run({verb, "--checkpoint", "nowhere", "--device", "cpu"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("nowhere"), HasSubstr("model.safetensors"))) << verb;
  }
}

TEST(CommandLine, VersionFlagIsOneLine) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, StartsWith("diffuse "));
  EXPECT_EQ(lines_of(outcome.out).size(), 1U);
}

TEST(CommandLine, SelftestComparesEveryOperation) {
  const Outcome outcome = run({"selftest", "--device", "cpu"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("neighbour_mix, gradient of weight"),
                                 HasSubstr("pool_texts mean_max"), HasSubstr(": all good\n"),
                                 Not(HasSubstr("WRONG"))));
  EXPECT_THAT(outcome.out, HasSubstr("initial_state, gradient of words"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("GB/s")));
  const Outcome told = run({"selftest", "--device", "cpu", "--json", "--speed"});
  ASSERT_EQ(told.exit_code, 0) << told;
  const auto json = nlohmann::json::parse(told.out);
  EXPECT_EQ(json.at("wrong"), 0);
  for (const auto& check : json.at("checks"))
    EXPECT_LE(check.at("error").get<double>(), check.at("allowed").get<double>()) << check;
  EXPECT_EQ(json.at("speeds").at(0).at("operation"), "copy");
  EXPECT_EQ(json.at("speeds").at(0).at("of_copy"), 1);
  for (const auto& speed : json.at("speeds"))
    EXPECT_GT(speed.at("bytes_per_s").get<double>(), 0) << speed;
}

TEST(CommandLine, VersionSaysWhatItWasBuiltFrom) {
  const Outcome outcome = run({"version"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_THAT(outcome.out, AllOf(StartsWith("diffuse "), HasSubstr("(commit "),
                                 HasSubstr("\nfound here\n"), HasSubstr("  Processor    ")));
}

TEST(CommandLine, VersionAsJson) {
  const Outcome outcome = run({"version", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_THAT(json["libtorch_found"].get<std::string>(), StartsWith("2."));
  EXPECT_GE(json["cores"].get<int>(), 1);
  for (const char* key : {"version", "commit", "compiler", "checks", "tests", "libtorch_compiled",
                          "cuda_module_reason", "cuda"}) {
    EXPECT_FALSE(json[key].get<std::string>().empty()) << key;
  }
}

/// Exit code of the program run by a shell, with `rest` (arguments, redirections) behind its name.
int shell(const std::string& rest) {
  const int status = std::system((std::string(DIFFUSE_PROGRAM) + " " + rest).c_str());
  return WEXITSTATUS(status);
}

TEST(CommandLine, AFullDiskUnderStdoutIsAFailure) {
  for (const char* arguments : {"version", "--version", "--help", "train --help"}) {
    EXPECT_EQ(shell(std::string(arguments) + " > /dev/full 2> /dev/null"), 1) << arguments;
  }
}

TEST(CommandLine, AClosedStdoutIsAFailure) {
  EXPECT_EQ(shell("--help >&- 2> /dev/null"), 1);
  const Workspace workspace;
  const std::string run = (workspace.path() / "closed").string();
  EXPECT_EQ(shell("train --config " + (workspace.path() / "small.json").string() + " --out " + run +
                  " >&- 2> /dev/null"),
            1);
}

TEST(CommandLine, AClosedStderrGoesIntoNoFile) {
  const Workspace workspace;
  const std::string run = (workspace.path() / "closed").string();
  EXPECT_EQ(shell("train --config " + (workspace.path() / "small.json").string() + " --out " + run +
                  " > /dev/null 2>&-"),
            0);
  const std::string log = read_file(run + "/train.log");
  const std::size_t first = log.find("trained ");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("trained ", first + 1), std::string::npos) << log;
}

}  // namespace
}  // namespace diffuse::testing
