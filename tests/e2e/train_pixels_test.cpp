// Rows of pixels through the program: numbers as an input.

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Dark pictures (label 0) and lighter ones (label 1), with some noise.
std::string pictures(int count, unsigned seed) {
  std::string rows;
  for (int i = 0; i < count; ++i) {
    const int label = i % 2;
    rows.push_back(static_cast<char>(label));
    for (int pixel = 0; pixel < 1024; ++pixel) {
      seed = seed * 1664525U + 1013904223U;
      rows.push_back(static_cast<char>((label == 1 ? 140 : 60) + (seed >> 24) % 50));
    }
  }
  return rows;
}

std::vector<std::string> small_network(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"train",
                                        "--train",
                                        "train.bin",
                                        "--test",
                                        "test.bin",
                                        "--out",
                                        "run",
                                        "--device",
                                        "cpu",
                                        "--threads",
                                        "1",
                                        "--set",
                                        "model.dim=8",
                                        "--set",
                                        "model.steps=3",
                                        "--set",
                                        "model.dilation=1,4",
                                        "--set",
                                        "train.length=10e",
                                        "--set",
                                        "train.learning_rate=0.01"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(TrainPixels, WithoutAConfigNumbersAreRead) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(120, 1));
  workspace.write("test.bin", pictures(40, 2));
  struct Way {
    std::string kernel;
    std::string precision;
  };
  // In bf16 an evaluation runs under autocast, which must leave the table of numbers as it is.
  for (const auto& [kernel, precision] :
       {Way{"fused", "fp32"}, Way{"fused", "bf16"}, Way{"operations", "fp32"},
        Way{"operations", "bf16"}, Way{"reference", "fp32"}, Way{"reference", "bf16"}}) {
    const Outcome outcome =
        workspace.run(small_network({"--overwrite", "--set", "train.kernel=" + kernel, "--set",
                                     "train.precision=" + precision}));
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr("defaults for pixels: tokenizer.type = values"));
    const auto test = nlohmann::json::parse(read_file(workspace.path() / "run/test.json"));
    EXPECT_GT(test["accuracy"].get<double>(), 0.9) << kernel << outcome;
    const Outcome eval =
        workspace.run({"eval", "--checkpoint", "run", "--data", "test.bin", "--json"});
    ASSERT_EQ(eval.exit_code, 0) << eval;
    EXPECT_EQ(nlohmann::json::parse(eval.out)["accuracy"], test["accuracy"]) << kernel;
  }
}

TEST(TrainPixels, WithoutAConfigTheNetworkIsThatOfTheShippedOne) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(60, 1));
  const auto config_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train", "--train",        "train.bin", "--out",
                                          "run",   "--overwrite",    "--device",  "cpu",
                                          "--set", "train.length=1u"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = workspace.run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return nlohmann::json::parse(read_file(workspace.path() / "run/config.json"));
  };
  const auto chosen = config_of({});
  const Outcome shipped = workspace.run({"config", "--show", "image.json"});
  ASSERT_EQ(shipped.exit_code, 0) << shipped;
  const auto image = nlohmann::json::parse(shipped.out);
  EXPECT_EQ(chosen["model"], image["model"]);
  EXPECT_EQ(chosen["tokenizer"], image["tokenizer"]);
  for (const char* key : {"batch_size", "learning_rate", "label_smoothing", "picture_shift"})
    EXPECT_EQ(chosen["train"][key], image["train"][key]) << key;
  EXPECT_EQ(chosen["train"]["picture_flip"], false) << "a mirrored digit is another one";

  const auto fewer = config_of({"--set", "model.steps=3"});
  EXPECT_EQ(fewer["model"]["dilation"], nlohmann::json({1, 32, 1}));
  const auto other = config_of({"--set", "model.dilation=[1,4]"});
  EXPECT_EQ(other["model"]["steps"], 12);
  EXPECT_EQ(other["model"]["dilation"], nlohmann::json({1, 4}));
  const auto more = config_of({"--set", "model.steps=14"});
  EXPECT_EQ(more["model"]["steps"], 14);
}

TEST(TrainPixels, AResumedRunIsTheWholeOneToTheByte) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(60, 1));
  workspace.write("test.bin", pictures(10, 2));
  ASSERT_EQ(workspace.run(small_network({"--set", "train.length=4e"})).exit_code, 0);
  const std::string whole = read_file(workspace.path() / "run/checkpoints/last/model.safetensors");
  ASSERT_EQ(workspace
                .run(small_network({"--overwrite", "--set", "train.length=4e", "--set",
                                    "train.max_updates=4", "--set", "train.checkpoint_every=4u"}))
                .exit_code,
            0);
  const Outcome rest = workspace.run({"train", "--resume", "run", "--set", "train.max_updates=0"});
  ASSERT_EQ(rest.exit_code, 0) << rest;
  EXPECT_TRUE(read_file(workspace.path() / "run/checkpoints/last/model.safetensors") == whole);
}

// A curriculum's next stage: what a run of fewer steps has learned is where it begins.
TEST(TrainPixels, MoreStepsBeginWithAnotherRunsOnes) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(60, 1));
  workspace.write("test.bin", pictures(20, 2));
  const Outcome few = workspace.run(small_network({}));
  ASSERT_EQ(few.exit_code, 0) << few;
  std::vector<std::string> more = small_network(
      {"--init", "run", "--set", "model.steps=4", "--set", "train.length=1u", "--set",
       "train.learning_rate=1e-9", "--set", "train.warmup=0u", "--set", "train.ema_decay=0"});
  *std::ranges::find(more, "run") = "more";
  const Outcome outcome = workspace.run(more);
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr(" tensors taken\n"), Not(HasSubstr(" words and ")),
                    HasSubstr("fresh: steps.3.weight"), Not(HasSubstr("embedding.values,"))));
  const auto test = nlohmann::json::parse(read_file(workspace.path() / "more/test.json"));
  EXPECT_GT(test["accuracy"].get<double>(), 0.9) << "known before the first update";
}

TEST(TrainPixels, OtherModelsReadThemToo) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(60, 1));
  workspace.write("test.bin", pictures(10, 2));
  for (const char* type : {"linformer", "mamba"}) {
    const Outcome outcome = workspace.run(small_network({"--overwrite",
                                                         "--set",
                                                         std::string("model.type=") + type,
                                                         "--set",
                                                         "tokenizer.type=values",
                                                         "--set",
                                                         "tokenizer.max_tokens=1024",
                                                         "--set",
                                                         "train.length=2u",
                                                         "--set",
                                                         "mixer.head_dim=8",
                                                         "--set",
                                                         "mixer.state_dim=4",
                                                         "--set",
                                                         "mixer.heads=2",
                                                         "--set",
                                                         "mixer.projected=8",
                                                         "--set",
                                                         "mixer.max_positions=1024",
                                                         "--set",
                                                         "train.warmup=0u"}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
  }
}

TEST(TrainPixels, NumbersAreNotExplained) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(20, 1));
  workspace.write("test.bin", pictures(10, 2));
  ASSERT_EQ(workspace.run(small_network({"--set", "train.length=2u"})).exit_code, 0);
  const Outcome outcome =
      workspace.run({"predict", "--checkpoint", "run", "--explain", "3"}, "abc\n");
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("--explain: the model reads numbers"));
}

TEST(TrainPixels, WordsAreRefused) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(20, 1));
  workspace.write("test.bin", pictures(10, 2));
  const Outcome outcome = workspace.run(small_network({"--set", "tokenizer.type=words"}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("train.bin: rows of pixels, but tokenizer.type = words reads "
                                     "text; expected --set tokenizer.type=values"));
  const Outcome ngrams = workspace.run(small_network({"--set", "ngrams.max=2"}));
  EXPECT_EQ(ngrams.exit_code, 2) << ngrams;
  EXPECT_THAT(ngrams.err, HasSubstr("ngrams.max: 2, but tokenizer.type = values has numbers"));
}

TEST(TrainPixels, PicturesAreMirroredAndMovedInTrainingAlone) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(120, 1));
  workspace.write("test.bin", pictures(40, 2));
  const auto test_of = [&](const std::vector<std::string>& more) {
    const Outcome outcome = workspace.run(small_network(more));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return nlohmann::json::parse(read_file(workspace.path() / "run/test.json"));
  };
  const auto plain = test_of({});
  const auto changed = test_of(
      {"--overwrite", "--set", "train.picture_flip=true", "--set", "train.picture_shift=4"});
  EXPECT_GT(changed["accuracy"], 0.9);
  EXPECT_NE(changed["mean_loss"], plain["mean_loss"]);
  const Outcome eval = workspace.run({"eval", "--checkpoint", "run", "--json"});
  EXPECT_EQ(nlohmann::json::parse(eval.out)["mean_loss"], changed["mean_loss"]);
}

TEST(TrainPixels, ShorterRowsAreNoPictures) {
  const Workspace workspace;
  workspace.write("train.bin", pictures(120, 1));
  workspace.write("test.bin", pictures(40, 2));
  const Outcome outcome = workspace.run(
      small_network({"--set", "train.picture_flip=true", "--set", "tokenizer.max_tokens=100"}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("train.picture_flip: it changes whole pictures, of 1024 "
                                     "pixels, but tokenizer.max_tokens = 100 cuts them off"));
  EXPECT_FALSE(std::filesystem::exists(workspace.path() / "run"));
  // Without a config nothing is chosen that would be refused.
  const Outcome chosen = workspace.run(
      small_network({"--set", "tokenizer.max_tokens=100", "--set", "train.length=1u"}));
  EXPECT_EQ(chosen.exit_code, 0) << chosen;
}

TEST(TrainPixels, TextsAreNoPicturesWhichIsToldBeforeAnythingIsMade) {
  const Workspace workspace;
  const Outcome outcome = workspace.run({"train", "--config", "small.json", "--out", "run", "--set",
                                         "train.pretrain=3u", "--set", "train.picture_shift=2"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("train.picture_shift: it changes pictures, but "),
                                 HasSubstr("train.csv holds texts (data.format = csv)"),
                                 Not(HasSubstr("Pretraining"))));
  EXPECT_FALSE(std::filesystem::exists(workspace.path() / "run"));
}

}  // namespace
}  // namespace diffuse::testing
