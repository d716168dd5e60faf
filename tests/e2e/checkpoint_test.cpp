// A trained checkpoint whose files are not the ones that training wrote is refused.

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kTexts = "the match, a goal\nrain and storm\n";

/// A workspace with a copy of the trained run's best checkpoint, `model`.
class TrainedCheckpoint : public ::testing::Test {
 protected:
  TrainedCheckpoint() {
    const fs::path run = trained_workspace().workspace.path() / "runs/small";
    fs::copy(fs::canonical(run / "checkpoints/best"), folder(), fs::copy_options::recursive);
  }

  fs::path folder() const { return workspace_.path() / "model"; }
  std::string content(const std::string& name) const { return read_file(folder() / name); }
  void put(const std::string& name, const std::string& content) const {
    workspace_.write("model/" + name, content);
  }
  Outcome predict() const { return workspace_.run({"predict", "--checkpoint", "model"}, kTexts); }
  void expect_refused(const std::string& message) const {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"predict", "--checkpoint", "model"},
          {"eval", "--checkpoint", "model", "--data", "test.csv"}}) {
      const Outcome outcome = workspace_.run(arguments, kTexts);
      EXPECT_EQ(outcome.exit_code, 2) << outcome;
      EXPECT_THAT(outcome.out, IsEmpty());
      EXPECT_THAT(outcome.err, HasSubstr(message));
    }
  }

  Workspace workspace_;
};

TEST_F(TrainedCheckpoint, PredictsAsItStands) {
  const Outcome outcome = predict();
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, Not(HasSubstr("manifest.json")));
}

TEST_F(TrainedCheckpoint, WithAFlippedByteInItsWeightsIsRefused) {
  std::string weights = content("model.safetensors");
  weights[weights.size() - 3] = static_cast<char>(weights[weights.size() - 3] ^ 0x40);
  put("model.safetensors", weights);
  expect_refused("by its checksum: model.safetensors. ");
}

TEST_F(TrainedCheckpoint, TheBestWithoutItsWeightsIsNotAnsweredByAnother) {
  fs::create_directories(workspace_.path() / "run/checkpoints");
  fs::copy(folder(), workspace_.path() / "run/checkpoints/last", fs::copy_options::recursive);
  fs::copy(folder(), workspace_.path() / "run/checkpoints/best", fs::copy_options::recursive);
  fs::remove(workspace_.path() / "run/checkpoints/best/model.safetensors");
  const Outcome outcome = workspace_.run({"predict", "--checkpoint", "run"}, kTexts);
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("checkpoints/best'"), HasSubstr("model.safetensors")));
}

TEST_F(TrainedCheckpoint, WithReorderedLabelsIsRefused) {
  std::vector<std::string> labels = lines_of(content("labels.txt"));
  ASSERT_EQ(labels.size(), 3U);
  put("labels.txt", labels[1] + "\n" + labels[0] + "\n" + labels[2] + "\n");
  expect_refused("by its checksum: labels.txt. ");
}

TEST_F(TrainedCheckpoint, WithoutAManifestIsTakenAsItIsAndSaysSo) {
  const std::string before = predict().out;
  fs::remove(folder() / "manifest.json");
  const Outcome outcome = predict();
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_EQ(outcome.out, before);
  EXPECT_THAT(outcome.err, HasSubstr("has no manifest.json: whether its files are whole"));
}

TEST_F(TrainedCheckpoint, OfANewerVersionSaysWhichProgramToTake) {
  auto manifest = nlohmann::json::parse(content("manifest.json"));
  manifest["format"] = 99;
  manifest["diffuse"]["version"] = "9.8.7";
  put("manifest.json", manifest.dump());
  expect_refused("It was written by diffuse 9.8.7");
}

TEST_F(TrainedCheckpoint, IsNotGoneOnWithWhereItsTrainingHalfIsDamaged) {
  const Workspace workspace;
  ASSERT_EQ(
      workspace
          .run({"train", "--config", "small.json", "--out", "run", "--set", "train.max_updates=5"})
          .exit_code,
      0);
  const fs::path state = workspace.path() / "run/checkpoints/last/state.json";
  std::string text = read_file(state);
  const std::size_t at = text.find("\"update\": 5");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 11, "\"update\": 4");
  std::ofstream(state) << text;
  const Outcome outcome =
      workspace.run({"train", "--resume", "run", "--set", "train.max_updates=0"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("by its checksum: state.json. "));
}

}  // namespace
}  // namespace diffuse::testing
