// Initial vectors of words: model.embedding_file.

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

/// Vectors of 16 numbers: the words of a class look alike, three of them stand in no training text.
std::string vectors() {
  std::string text = "9 16\n";
  const auto add = [&text](const char* word, int place) {
    text += word;
    for (int c = 0; c < 16; ++c) text += c % 3 == place ? " 1" : " -0.5";
    text += '\n';
  };
  for (const char* word : {"match", "goal", "stadium"}) add(word, 0);
  for (const char* word : {"bank", "profit", "dividend"}) add(word, 1);
  for (const char* word : {"rain", "cloud", "drizzle"}) add(word, 2);
  return text;
}

TEST(TrainingFromVectors, GiveWordsThatTrainingLacksAMeaning) {
  const Workspace workspace;
  workspace.write("words.vec", vectors());
  const Outcome training =
      workspace.run(small_run("run", {"--set", "model.embedding_file=words.vec"}));
  ASSERT_EQ(training.exit_code, 0) << training;
  EXPECT_THAT(training.err, AllOf(HasSubstr("initial vectors"), HasSubstr("of 9 of "),
                                  HasSubstr("and those of model.embedding_file")));
  const Outcome outcome =
      workspace.run({"predict", "--checkpoint", "run"}, "stadium\ndividend\ndrizzle\n");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr("sport"));
  EXPECT_THAT(lines[1], HasSubstr("money"));
  EXPECT_THAT(lines[2], HasSubstr("weather"));
}

TEST(TrainingFromVectors, AreNotReadAgain) {
  const Workspace workspace;
  workspace.write("words.vec", vectors());
  const std::vector<std::string> settings = {"--set", "model.embedding_file=words.vec",
                                             "--set", "train.evaluate_every=10u",
                                             "--set", "train.length=40u"};
  ASSERT_EQ(workspace.run(small_run("whole", settings)).exit_code, 0);
  std::vector<std::string> half = settings;
  half.insert(half.end(), {"--set", "train.max_updates=20"});
  ASSERT_EQ(workspace.run(small_run("parts", half)).exit_code, 0);
  fs::remove(workspace.path() / "words.vec");
  const Outcome resumed =
      workspace.run({"train", "--resume", "parts", "--set", "train.max_updates=0"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  for (const char* file : {"model.safetensors", "vocab.txt"})
    EXPECT_TRUE(read_file(workspace.path() / "whole/checkpoints/last" / file) ==
                read_file(workspace.path() / "parts/checkpoints/last" / file))
        << file;
  const Outcome eval = workspace.run({"eval", "--checkpoint", "parts"});
  EXPECT_EQ(eval.exit_code, 0) << eval;
}

TEST(TrainingFromVectors, ACheckpointIsSuchAFile) {
  const Workspace& trained = trained_workspace().workspace;
  const Workspace workspace;
  const fs::path model = fs::canonical(trained.path() / "runs/small/checkpoints/best");
  const Outcome training = workspace.run(small_run(
      "run", {"--set", "model.embedding_file=" + (model / "model.safetensors").string()}));
  ASSERT_EQ(training.exit_code, 0) << training;
  EXPECT_THAT(training.err, HasSubstr("(100 %) and 100 % of the training rows' tokens"));
}

TEST(TrainingFromVectors, OfAnotherLengthLeaveNoRunBehind) {
  const Workspace workspace;
  workspace.write("words.vec", vectors());
  const Outcome outcome = workspace.run(
      small_run("run", {"--set", "model.embedding_file=words.vec", "--set", "model.dim=8"}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("words.vec:1: vectors of 16 numbers, but model.dim is 8; "
                                     "expected as many (--set model.dim=16)"));
  EXPECT_FALSE(fs::exists(workspace.path() / "run"));
  const Outcome missing =
      workspace.run(small_run("run", {"--set", "model.embedding_file=none.vec"}));
  EXPECT_EQ(missing.exit_code, 2) << missing;
  EXPECT_THAT(missing.err, AllOf(HasSubstr("model.embedding_file"), HasSubstr("none.vec")));
}

}  // namespace
}  // namespace diffuse::testing
