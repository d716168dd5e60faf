// Learning from texts without labels, before the labels.

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <random>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> with(std::vector<std::string> arguments, std::vector<std::string> more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> pretrain_into(const std::string& out, std::vector<std::string> more = {}) {
  return with({"pretrain", "--config", "small.json", "--out", out, "--length", "40u", "--set",
               "pretrain.batch_size=16", "--set", "pretrain.learning_rate=0.01"},
              std::move(more));
}

std::vector<std::string> train_into(const std::string& out, std::vector<std::string> more = {}) {
  return with({"train", "--config", "small.json", "--out", out}, std::move(more));
}

std::string weights(const fs::path& run) {
  return read_file(run / "checkpoints/last/model.safetensors");
}

/// The losses of the lines of `kind` in the metrics of a run.
std::vector<double> losses(const fs::path& run) {
  std::vector<double> found;
  for (const std::string& line : lines_of(read_file(run / "metrics.jsonl"))) {
    const Json json = Json::parse(line);
    if (json.contains("train_loss")) found.push_back(json.at("train_loss").get<double>());
  }
  return found;
}

TEST(Pretrain, LearnsFromTheTrainingTextsAndGivesItsWeightsToATraining) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run({"pretrain", "--config", "small.json", "--out", "words", "--length", "30e",
                     "--set", "pretrain.batch_size=16", "--set", "pretrain.learning_rate=0.01",
                     "--set", "model.head_dropout=0.25"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("Pretraining on "), HasSubstr("(30e)"), Not(HasSubstr("warning"))));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("run directory     words"),
                                 HasSubstr("Next:\n  diffuse train --config small.json --set "
                                           "model.head_dropout=0.25 --init words\n")));
  const fs::path words = workspace.path() / "words";
  const std::vector<double> loss = losses(words);
  ASSERT_GE(loss.size(), 2U);
  EXPECT_LT(loss.back(), loss.front());

  const Outcome training = workspace.run(train_into("run", {"--init", "words"}));
  ASSERT_EQ(training.exit_code, 0) << training;
  EXPECT_THAT(training.err,
              AllOf(HasSubstr("other tensors taken"), HasSubstr("fresh: head.in.weight")));
  EXPECT_EQ(workspace.run({"eval", "--checkpoint", "run"}).exit_code, 0);
}

TEST(Pretrain, IntoAFolderWhoseNameIsNotUtf8IsToldInJson) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(pretrain_into("w\xF6rter", {"--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json json = Json::parse(outcome.out);
  EXPECT_THAT(json.at("run_directory").get<std::string>(), HasSubstr("w\xEF\xBF\xBDrter"));
  EXPECT_THAT(json.at("checkpoint").get<std::string>(), HasSubstr("w\xEF\xBF\xBDrter"));
}

TEST(Pretrain, ReadsNeitherValidationNorTestRowsNorLabels) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(pretrain_into("words"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Outcome table = workspace.run({"train", "--config", "small.json", "--dry-run", "--json"});
  const auto rows = Json::parse(table.out).at("train").at("rows").get<std::int64_t>();
  EXPECT_THAT(outcome.err, HasSubstr("Pretraining on " + std::to_string(rows) + " texts, "));
  EXPECT_TRUE(read_file(workspace.path() / "words/checkpoints/last/labels.txt").empty());
}

/// Texts of six words of one of three subjects, with twelve words each, of which `words` are used.
std::string texts_of_subjects(int texts, int first_word, int words, bool labels) {
  std::string text;
  std::mt19937 random(7);
  for (int i = 0; i < texts; ++i) {
    const std::string subject(1, static_cast<char>('a' + i % 3));
    if (labels) text += subject + ",";
    for (int w = 0; w < 6; ++w) {
      const int word = first_word + static_cast<int>(random() % static_cast<unsigned>(words));
      text += subject + "x" + std::string(1, static_cast<char>('a' + word)) + " ";
    }
    text += "\n";
  }
  return text;
}

TEST(Pretrain, TellsTheClassOfWordsThatNoLabelledTextHas) {
  const Workspace workspace;
  workspace.write("few.csv", texts_of_subjects(24, 0, 4, true));
  workspace.write("others.csv", texts_of_subjects(60, 8, 4, true));
  workspace.write("all.txt", texts_of_subjects(600, 0, 12, false));
  const auto accuracy = [&](const std::string& out, std::vector<std::string> more) {
    const Outcome outcome = workspace.run(train_into(
        out,
        with({"--train", "few.csv", "--test", "others.csv", "--set", "data.validation_fraction=0"},
             std::move(more))));
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    return Json::parse(read_file(workspace.path() / out / "test.json"))
        .at("accuracy")
        .get<double>();
  };
  EXPECT_LT(accuracy("labels", {}), 0.6);
  EXPECT_GT(
      accuracy("texts", {"--set", "train.pretrain=400u", "--set", "pretrain.texts=all.txt", "--set",
                         "pretrain.batch_size=32", "--set", "pretrain.learning_rate=0.01"}),
      0.9);
}

TEST(Pretrain, InOneWithTheTrainingIsTheSame) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(pretrain_into("words")).exit_code, 0);
  ASSERT_EQ(workspace.run(train_into("apart", {"--init", "words"})).exit_code, 0);
  const Outcome outcome = workspace.run(
      train_into("both", {"--set", "train.pretrain=40u", "--set", "pretrain.batch_size=16", "--set",
                          "pretrain.learning_rate=0.01"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_TRUE(weights(workspace.path() / "both/pretraining") ==
              weights(workspace.path() / "words"));
  EXPECT_TRUE(weights(workspace.path() / "both") == weights(workspace.path() / "apart"));
}

// A slow embedding keeps what pretraining gave; it is not to keep it from learning.
TEST(Pretrain, HasTheWordsAtTheFullRateWhateverTheirsIsInTheTraining) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(pretrain_into("words")).exit_code, 0);
  ASSERT_EQ(
      workspace.run(pretrain_into("slow", {"--set", "train.embedding_lr_factor=0"})).exit_code, 0);
  EXPECT_EQ(weights(workspace.path() / "words"), weights(workspace.path() / "slow"));
}

TEST(Pretrain, TakesFurtherTextsAndTheirWords) {
  const Workspace workspace;
  workspace.write("more.txt", "glacier moraine crevasse\nmoraine glacier crevasse storm\n");
  workspace.write("more.csv", "text\ncrevasse glacier\n");
  const Outcome outcome =
      workspace.run(pretrain_into("words", {"--text", "more.txt", "--text", "more.csv"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("(3 without labels)"));
  ASSERT_EQ(workspace.run(train_into("run", {"--init", "words"})).exit_code, 0);
  EXPECT_THAT(read_file(workspace.path() / "run/checkpoints/last/vocab.txt"), HasSubstr("moraine"));
  const Outcome known = workspace.run({"predict", "--checkpoint", "run"}, "glacier moraine\n");
  EXPECT_THAT(known.err, Not(HasSubstr("class shares"))) << "the words are known";
}

TEST(Pretrain, GoesOnToTheSameBytes) {
  const Workspace workspace;
  const std::vector<std::string> logs = {"--set", "train.log_every=1"};
  ASSERT_EQ(workspace.run(pretrain_into("whole", logs)).exit_code, 0);
  const Outcome stopped = workspace.stopped_at({"update 7  grad"}, pretrain_into("parts", logs));
  EXPECT_THAT(stopped.err, HasSubstr("diffuse pretrain --resume parts"));
  const Outcome resumed = workspace.run({"pretrain", "--resume", "parts"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_THAT(resumed.err, HasSubstr("going on after update"));
  EXPECT_TRUE(weights(workspace.path() / "parts") == weights(workspace.path() / "whole"));
}

TEST(Pretrain, GoesOnByItsOwnVerb) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(pretrain_into("words")).exit_code, 0);
  const Outcome train = workspace.run({"train", "--resume", "words"});
  EXPECT_EQ(train.exit_code, 2) << train;
  EXPECT_THAT(train.err,
              AllOf(HasSubstr("--resume words: this is a run of `diffuse pretrain`, which goes on "
                              "with `diffuse pretrain --resume words`; a training begins with its "
                              "weights by `diffuse train --init words`."),
                    Not(HasSubstr("rows"))));
  ASSERT_EQ(
      workspace.run(train_into("run", {"--set", "train.pretrain=3u", "--set", "train.length=3u"}))
          .exit_code,
      0);
  const Outcome pretrain = workspace.run({"pretrain", "--resume", "run"});
  EXPECT_EQ(pretrain.exit_code, 2) << pretrain;
  EXPECT_THAT(pretrain.err, HasSubstr("--resume run: this is a run of `diffuse train`, which goes "
                                      "on with `diffuse train --resume run`."));
  EXPECT_EQ(workspace.run({"train", "--resume", "run"}).exit_code, 0);
}

TEST(Pretrain, OfATrainingThatIsStoppedGoesOnToo) {
  const Workspace workspace;
  const std::vector<std::string> both = {"--set", "train.pretrain=40u",
                                         "--set", "train.log_every=1",
                                         "--set", "pretrain.batch_size=16"};
  ASSERT_EQ(workspace.run(train_into("whole", both)).exit_code, 0);
  const Outcome stopped = workspace.stopped_at({"update 7  grad"}, train_into("parts", both));
  EXPECT_THAT(stopped.err, HasSubstr("diffuse train --resume parts"));
  EXPECT_FALSE(fs::exists(workspace.path() / "parts/checkpoints/last"));
  const Outcome resumed = workspace.run({"train", "--resume", "parts"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_TRUE(weights(workspace.path() / "parts") == weights(workspace.path() / "whole"));
}

// Of few words reading says too little to keep them near it.
TEST(Pretrain, OfFewWordsLeavesThemTheirRate) {
  const Workspace workspace;
  const auto rate_of = [&](const std::string& run) {
    return Json::parse(read_file(workspace.path() / run / "config.json"))
        .at("train")
        .at("embedding_lr_factor");
  };
  ASSERT_EQ(workspace.run(train_into("few", {"--set", "train.pretrain=3u"})).exit_code, 0);
  EXPECT_EQ(rate_of("few"), 1);
  ASSERT_EQ(workspace
                .run(train_into("given", {"--set", "train.pretrain=3u", "--set",
                                          "train.embedding_lr_factor=0.1"}))
                .exit_code,
            0);
  EXPECT_EQ(rate_of("given"), 0.1);
  std::string more;  // 20,000 words
  for (int i = 0; i < 20'000; ++i) more += fmt::format("word{0} word{0}\n", i);
  workspace.write("more.txt", more);
  const std::string texts = (workspace.path() / "more.txt").string();
  ASSERT_EQ(workspace
                .run(train_into("many", {"--set", "train.pretrain=3u", "--set",
                                         "pretrain.texts=[\"" + texts + "\"]"}))
                .exit_code,
            0);
  EXPECT_EQ(rate_of("many"), -1) << "0.05";
}

TEST(Pretrain, SaysWhatIsWrong) {
  const Workspace workspace;
  const auto error_of = [&](const std::vector<std::string>& arguments) {
    const Outcome outcome = workspace.run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    return outcome.err;
  };
  EXPECT_THAT(error_of({"pretrain", "--config", "small.json", "--out", "x"}),
              HasSubstr("--length LENGTH is missing: how long to learn"));
  // Before anything is read.
  EXPECT_THAT(error_of({"pretrain", "--train", "train.csv", "--out", "x"}),
              AllOf(HasSubstr("--length LENGTH is missing"), Not(HasSubstr("defaults for"))));
  EXPECT_THAT(error_of(pretrain_into("x", {"--set", "model.dim=0", "--set", "ngrams.max=1"})),
              HasSubstr("train.pretrain: \"40u\": with model.dim = 0 there is no network"));
  EXPECT_THAT(error_of(pretrain_into("x", {"--set", "model.type=distilbert"})),
              HasSubstr("only a diffusion model is pretrained, and model.type = distilbert"));
  EXPECT_THAT(error_of({"pretrain", "--config", "small.json", "--out", "x", "--length", "5"}),
              HasSubstr("--length 5: expected epochs, updates or minutes, such as 11e"));
  EXPECT_THAT(error_of(pretrain_into("x", {"--text", "none.txt"})),
              HasSubstr("none.txt cannot be read"));
  EXPECT_THAT(error_of(train_into("x", {"--init", "none"})),
              HasSubstr("/none'. Give a run directory"));
  EXPECT_FALSE(fs::exists(workspace.path() / "x"));

  ASSERT_EQ(workspace.run(pretrain_into("words")).exit_code, 0);
  EXPECT_THAT(error_of({"predict", "--checkpoint", "words"}),
              HasSubstr("It was pretrained on texts alone and knows no classes"));
  EXPECT_THAT(error_of(train_into("y", {"--init", "words", "--set", "model.dim=9"})),
              HasSubstr("this one 9; expected the same, or no weight fits"));
  EXPECT_FALSE(fs::exists(workspace.path() / "y"));
  EXPECT_THAT(error_of(train_into("z", {"--init", "words", "--set", "tokenizer.type=bytes"})),
              HasSubstr("makes tokens in another way"));
}

}  // namespace
}  // namespace diffuse::testing
