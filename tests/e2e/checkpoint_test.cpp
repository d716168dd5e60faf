// A trained checkpoint whose files are not the ones that training wrote is refused.

#include <gmock/gmock.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
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
  /// Gives every element of the tensor the value, and takes the checksums away that would tell.
  void fill(const std::string& tensor, float value) const {
    std::string weights = content("model.safetensors");
    std::uint64_t size = 0;
    std::memcpy(&size, weights.data(), sizeof size);
    const std::size_t begin = sizeof size + static_cast<std::size_t>(size);
    const auto entry =
        nlohmann::json::parse(weights.substr(sizeof size, begin - sizeof size)).at(tensor);
    ASSERT_EQ(entry.at("dtype"), "F32");
    const auto places = entry.at("data_offsets").get<std::vector<std::size_t>>();
    for (std::size_t at = places.at(0); at < places.at(1); at += sizeof value)
      std::memcpy(&weights[begin + at], &value, sizeof value);
    put("model.safetensors", weights);
    fs::remove(folder() / "manifest.json");
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

TEST_F(TrainedCheckpoint, WhoseLogitsAreNoNumbersGivesErrorRecords) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    fill("head.out.bias", bad);
    // Of the third nothing is known: the network does not answer it.
    const std::string texts = std::string(kTexts) + "zzz qqq\n";
    const Outcome outcome = workspace_.run({"predict", "--checkpoint", "model", "--format", "jsonl",
                                            "--logits", "--probabilities", "--top", "3"},
                                           texts);
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    const std::vector<std::string> lines = lines_of(outcome.out);
    ASSERT_EQ(lines.size(), 3U) << outcome;
    for (const std::size_t line : {0U, 1U})
      EXPECT_THAT(nlohmann::json::parse(lines[line]).at("error").get<std::string>(),
                  HasSubstr("the model's logits are not finite numbers: its weights are damaged"));
    EXPECT_TRUE(nlohmann::json::parse(lines[2]).contains("label"));
    EXPECT_THAT(outcome.err, HasSubstr("2 records have no answer: the model's logits are not"));
    const Outcome tsv = predict();
    EXPECT_EQ(tsv.exit_code, 1) << tsv;
    EXPECT_THAT(tsv.out, HasSubstr("#error\tthe model's logits are not finite numbers"));
  }
}

TEST_F(TrainedCheckpoint, ThatOverflowsInAPrecisionIsComparedAllTheSame) {
  fill("head.out.bias", 1e6F);  // beyond float16
  std::vector<std::string> arguments = {"eval",     "--checkpoint",        "model",    "--data",
                                        "test.csv", "--compare-precision", "fp16,bf16"};
  const Outcome text = workspace_.run(arguments);
  ASSERT_EQ(text.exit_code, 0) << text;
  const std::vector<std::string> lines = lines_of(text.out);
  ASSERT_EQ(lines.size(), 6U) << text;
  EXPECT_THAT(lines[4], MatchesRegex("fp16 +overflow +overflow +60 of 60 +0.00 % .*"));
  EXPECT_THAT(lines[5], MatchesRegex("bf16 +[0-9].*"));
  arguments.emplace_back("--json");
  const Outcome told = workspace_.run(arguments);
  ASSERT_EQ(told.exit_code, 0) << told;
  const auto json = nlohmann::json::parse(told.out)["precisions"];
  EXPECT_TRUE(json[0]["largest_logit_error"].is_null());
  EXPECT_EQ(json[0]["accuracy"], 0);
  EXPECT_TRUE(json[1]["largest_logit_error"].is_number());
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
