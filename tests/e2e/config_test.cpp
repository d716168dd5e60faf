#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ConfigVerb, DefaultsAreAConfigThatIsSound) {
  Workspace workspace;
  const Outcome defaults = workspace.run({"config", "--defaults"});
  ASSERT_EQ(defaults.exit_code, 0) << defaults;
  EXPECT_THAT(defaults.out, HasSubstr("//"));
  workspace.write("defaults.json", defaults.out);
  const Outcome shown = workspace.run({"config", "--show", "defaults.json"});
  ASSERT_EQ(shown.exit_code, 0) << shown;
  const auto json = nlohmann::json::parse(shown.out);
  EXPECT_TRUE(json["model"]["dim"].is_number_integer());
}

TEST(ConfigVerb, SchemaIsJson) {
  const Outcome outcome = run({"config", "--schema"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_TRUE(nlohmann::json::parse(outcome.out).contains("$schema"));
}

TEST(ConfigVerb, ReferenceIsTheShippedPage) {
  const Outcome outcome = run({"config", "--reference"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  std::ostringstream page;
  page << std::ifstream(std::string(DIFFUSE_SOURCE_DIR) + "/docs/configuration.md").rdbuf();
  EXPECT_EQ(outcome.out, page.str());
}

TEST(ConfigVerb, ShowLaysValuesOverTheFile) {
  Workspace workspace;
  const Outcome outcome = workspace.run(
      {"config", "--show", "small.json", "--set", "model.dim=48", "--set", "model.dilation=[1,2]"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["model"]["dim"], 48);
  EXPECT_EQ(json["model"]["dilation"], nlohmann::json({1, 2}));
  EXPECT_EQ(json["tokenizer"]["min_count"], 1);
  EXPECT_EQ(json["data"]["train"],
            (std::filesystem::canonical(workspace.path()) / "train.csv").string());
}

TEST(ConfigVerb, CheckPassesASoundConfig) {
  Workspace workspace;
  const Outcome outcome = workspace.run({"config", "--check", "small.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_EQ(outcome.out, "small.json: ok\n");
}

TEST(ConfigVerb, CheckFindsAMissingFile) {
  Workspace workspace;
  workspace.write("c.json", R"({"data": {"train": "gone.csv"}})");
  const Outcome outcome = workspace.run({"config", "--check", "c.json"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("data.train"), HasSubstr("gone.csv")));
}

TEST(ConfigVerb, AShippedConfigIsFoundByItsName) {
  Workspace workspace;
  const Outcome outcome = workspace.run({"config", "--show", "r8.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
}

TEST(ConfigVerb, NeedsExactlyOneTask) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"config"}, {"config", "--defaults", "--schema"}}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, HasSubstr("diffuse config --help"));
  }
}

TEST(ConfigVerb, SetNeedsAFile) {
  const Outcome outcome = run({"config", "--defaults", "--set", "model.dim=3"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("--set goes with --check FILE or --show FILE"));
}

}  // namespace
}  // namespace diffuse::testing
