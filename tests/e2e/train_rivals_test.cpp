// Training of the models that the paper names, by the same trainer: what a checkpoint keeps of
// them.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/small_distilbert.hpp"

namespace diffuse::testing {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

struct Rival {
  const char* name;
  std::vector<std::string> set;
};

void PrintTo(const Rival& rival, std::ostream* out) { *out << rival.name; }

class TrainRival : public ::testing::TestWithParam<Rival> {
 protected:
  std::vector<std::string> training(const std::string& out, const std::string& length) const {
    std::vector<std::string> arguments = {"train",    "--config", "small.json", "--out", out,
                                          "--device", "cpu",      "--threads",  "1"};
    for (const std::string& set : GetParam().set) arguments.insert(arguments.end(), {"--set", set});
    arguments.insert(arguments.end(),
                     {"--set", "train.length=" + length, "--set", "train.learning_rate=0.003",
                      "--set", "train.warmup=5u", "--set", "train.batch_size=16"});
    return arguments;
  }
};

TEST_P(TrainRival, LearnsAndAnswersFromItsCheckpointAlone) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(training("run", "12e"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto test = nlohmann::json::parse(read_file(workspace.path() / "run/test.json"));
  EXPECT_GT(test["accuracy"].get<double>(), 0.6) << outcome;
  fs::create_directories(workspace.path() / "elsewhere");
  fs::copy(fs::canonical(workspace.path() / "run/checkpoints/best"),
           workspace.path() / "elsewhere/checkpoint", fs::copy_options::recursive);
  fs::remove_all(workspace.path() / "run");
  const Outcome eval = workspace.run(
      {"eval", "--checkpoint", "elsewhere/checkpoint", "--data", "test.csv", "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval;
  const auto again = nlohmann::json::parse(eval.out);
  EXPECT_EQ(again["accuracy"], test["accuracy"]);
  EXPECT_NEAR(again["mean_loss"].get<double>(), test["mean_loss"].get<double>(), 1e-6);
}

TEST_P(TrainRival, AResumedRunIsTheWholeOneToTheByte) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(training("whole", "4e")).exit_code, 0);
  std::vector<std::string> part = training("part", "4e");
  part.insert(part.end(), {"--set", "train.max_updates=20", "--set", "train.checkpoint_every=20u"});
  ASSERT_EQ(workspace.run(part).exit_code, 0);
  const Outcome rest = workspace.run({"train", "--resume", "part", "--set", "train.max_updates=0"});
  ASSERT_EQ(rest.exit_code, 0) << rest;
  const auto weights = [&](const char* run) {
    return read_file(workspace.path() / run / "checkpoints/last/model.safetensors");
  };
  EXPECT_TRUE(weights("whole") == weights("part"));
}

INSTANTIATE_TEST_SUITE_P(
    Types, TrainRival,
    ::testing::Values(Rival{"transformer", {"model.type=transformer", "mixer.heads=2"}},
                      Rival{"linformer",
                            {"model.type=linformer", "mixer.heads=2", "mixer.projected=4",
                             "mixer.max_positions=256"}},
                      Rival{"performer", {"model.type=performer", "mixer.heads=2"}},
                      Rival{"mamba", {"model.type=mamba", "mixer.head_dim=8", "mixer.state_dim=4"}},
                      Rival{"bert",
                            {"model.type=bert", "bert.dim=16", "bert.layers=1", "bert.heads=2",
                             "bert.hidden_dim=32", "bert.init_std=0.2"}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(TrainBert, BeginsWithAFolderAndSaysWhatIsFresh) {
  const Workspace workspace;
  const fs::path fixture = fs::path(DIFFUSE_SOURCE_DIR) / "tests/model/fixtures/bert";
  std::string vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nmatch\ngoal\nrain\nstorm\n";
  for (int i = 0; i < 30; ++i) vocab += "word" + std::to_string(i) + "\n";
  workspace.write("vocab.txt", vocab);
  const Outcome outcome = workspace.run(
      {"train", "--config", "small.json", "--out", "run", "--set", "model.type=bert", "--set",
       "bert.pretrained=" + fixture.string(), "--set", "tokenizer.type=wordpiece", "--set",
       "tokenizer.vocab=vocab.txt", "--set", "tokenizer.max_tokens=24", "--set", "train.length=3u",
       "--set", "train.warmup=0u"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("41 tensors loaded"));
  const auto config = nlohmann::json::parse(read_file(workspace.path() / "run/config.json"));
  EXPECT_EQ(config["bert"]["layers"], 2) << "the folder's sizes";
  const Outcome bad = workspace.run({"train", "--config", "small.json", "--out", "bad", "--set",
                                     "model.type=bert", "--set", "bert.pretrained=nowhere"});
  EXPECT_EQ(bad.exit_code, 2) << bad;
  EXPECT_THAT(bad.err, HasSubstr("nowhere' has no config.json"));
}

}  // namespace
}  // namespace diffuse::testing
