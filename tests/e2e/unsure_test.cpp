// Answers that are given only where the model is sure enough.

#include <gmock/gmock.h>

#include <array>
#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// A copy of the trained run, whose coverage table may be another one.
class UnsureTest : public ::testing::Test {
 protected:
  UnsureTest() {
    fs::copy(fs::canonical(trained_workspace().workspace.path() / "runs/small/checkpoints/best"),
             workspace_.path() / "model", fs::copy_options::recursive);
  }
  void set_coverage(const std::string& json) {
    fs::remove(workspace_.path() / "model/manifest.json");  // what is changed here is meant
    workspace_.write("model/coverage.json", json);
  }
  Outcome predict(const std::string& target, const std::string& text,
                  std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"predict", "--checkpoint", "model", "--target-accuracy",
                                          target};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workspace_.run(arguments, text);
  }

  Workspace workspace_;
};

TEST_F(UnsureTest, TheTrainingWritesWhatIsNeeded) {
  const Json table = Json::parse(read_file(workspace_.path() / "model/coverage.json"));
  EXPECT_EQ(table.at("rows"), 42);
  EXPECT_EQ(table.at("points").back().at(1), 1);
  const Outcome outcome = predict("0.5", "the match, goal team\n");
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, StartsWith("sport\t"));
  EXPECT_THAT(outcome.err, HasSubstr("answers from a probability of "));
}

TEST_F(UnsureTest, BelowTheThresholdNothingIsAnswered) {
  set_coverage(R"({"rows": 1000, "points": [[0.9999, 0.01, 1.0], [0.4, 1.0, 0.73]]})");
  const std::string unknown = "xyzzy plugh\n";  // gets the classes' shares
  EXPECT_THAT(predict("0.7", "the match, goal team\n" + unknown).out,
              AllOf(StartsWith("sport\t"), HasSubstr("\n#unsure\t0.3")));
  EXPECT_THAT(predict("0.7", unknown, {"--top", "2"}).out, HasSubstr("#unsure\t0.3"));
  const Outcome jsonl = predict("0.7", unknown, {"--format", "jsonl"});
  EXPECT_TRUE(Json::parse(jsonl.out).at("label").is_null()) << jsonl;
  EXPECT_THAT(
      predict("0.7", unknown).err,
      HasSubstr("answers from a probability of 0.4000 on: of 1,000 rows held back in training "
                "100.0 % are "
                "answered, 73.00 % of these right; with a confidence of 95 % more than 70.63 %"));
  EXPECT_THAT(predict("0.7", unknown).err, Not(HasSubstr("too few")));
  set_coverage(R"({"rows": 1000, "points": [[0.4, 1.0, 0.72]]})");
  EXPECT_THAT(predict("0.7", unknown).err,
              HasSubstr("--target-accuracy 0.7: 1,000 rows held back in training are too few to be "
                        "sure of it."));
}

TEST_F(UnsureTest, WhatTheModelCannotReachIsRefused) {
  set_coverage(R"({"rows": 100, "points": [[0.9, 0.5, 0.8], [0.4, 1.0, 0.7]]})");
  const Outcome outcome = predict("0.95", "a\n");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err,
              HasSubstr("--target-accuracy 0.95: on the rows held back in training the model's "
                        "surest answers reach 0.8000; give that or less."));
}

TEST_F(UnsureTest, AModelWithoutATableIsRefused) {
  fs::remove(workspace_.path() / "model/manifest.json");
  fs::remove(workspace_.path() / "model/coverage.json");
  const Outcome outcome = predict("0.9", "a\n");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("does not tell how accurate it is at which confidence, for "
                                     "nothing was held back to measure that on: neither validation "
                                     "rows (data.validation, data.validation_fraction) nor a "
                                     "rehearsal (of n-grams with ngrams.factor = 0)"));
}

TEST_F(UnsureTest, ADamagedTableIsTold) {
  set_coverage(R"({"rows": 9, "points": [[2, 0, 0]]})");
  const Outcome outcome = predict("0.9", "a\n");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("coverage.json: points is no list of [threshold, coverage, "
                                     "accuracy], each from 0 to 1."));
}

TEST_F(UnsureTest, EvalTellsWhatTheSurestAnswersReach) {
  const Outcome outcome = workspace_.run({"eval", "--checkpoint", "model", "--data", "test.csv"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("where only the surest answers are given:"),
                                 HasSubstr("answered  accuracy  confidence from")));
}

TEST(DefaultChoices, AreToldAndStandInTheConfig) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run({"train", "--train", "train.csv", "--test", "test.csv", "--out", "run", "--set",
                     "train.length=3u", "--set", "train.warmup=1u"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("defaults for 210 rows of 3 classes, "),
                                 HasSubstr("ngrams.max = 2")));
  const Json config = Json::parse(read_file(workspace.path() / "run/config.json"));
  EXPECT_EQ(config.at("ngrams").at("max"), 2);
  // What is chosen makes the same run again.
  const Outcome again = workspace.run({"train", "--config", "run/config.json", "--out", "again"});
  ASSERT_EQ(again.exit_code, 0) << again;
  for (const char* file : {"model.safetensors", "ngrams.safetensors"}) {
    EXPECT_TRUE(read_file(workspace.path() / "run/checkpoints/last" / file) ==
                read_file(workspace.path() / "again/checkpoints/last" / file));
  }
}

TEST(DefaultChoices, LeaveWhatIsGiven) {
  const Workspace workspace;
  const Outcome outcome = workspace.run({"train", "--train", "train.csv", "--dry-run", "--json",
                                         "--set", "ngrams.max=0", "--set", "train.batch_size=7"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json config = Json::parse(outcome.out).at("config");
  EXPECT_EQ(config.at("ngrams").at("max"), 0);
  EXPECT_EQ(config.at("train").at("batch_size"), 7);
}

TEST(DefaultChoices, OneKeyOfTheNgramsLeavesTheOthersToBeChosen) {
  const Workspace workspace;
  for (const char* given : {"ngrams.cost=0.5", "ngrams.weighting=binary", "ngrams.factor=3"}) {
    const Outcome outcome =
        workspace.run({"train", "--train", "train.csv", "--dry-run", "--json", "--set", given});
    ASSERT_EQ(outcome.exit_code, 0) << outcome;
    const Json ngrams = Json::parse(outcome.out).at("config").at("ngrams");
    EXPECT_EQ(ngrams.at("max"), 2) << given;
    EXPECT_EQ(ngrams.at("cost") == 0.5, std::string(given) == "ngrams.cost=0.5");
    EXPECT_EQ(ngrams.at("weighting") == "binary", std::string(given) == "ngrams.weighting=binary");
  }
}

/// A file of `rows` rows of up to three classes, whose texts have `words` words.
std::string rows_of(int rows, int words, int classes = 3) {
  constexpr std::array kLabels = {"good,", "bad,", "so-so,"};
  constexpr std::array kWords = {"sunny ", "rainy ", "cloudy "};
  std::string csv;
  for (int i = 0; i < rows; ++i) {
    const auto kind = static_cast<std::size_t>(i % classes);
    csv += kLabels[kind];
    for (int k = 0; k < words; ++k) csv += kWords[kind];
    csv += std::to_string(i) + "\n";
  }
  return csv;
}

TEST(DefaultChoices, AreTheRecipesOfTheShippedConfigs) {
  const Workspace workspace;
  const auto model_of = [&](const std::vector<std::string>& arguments) {
    const Outcome outcome = workspace.run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome;
    const Json json = Json::parse(outcome.out);
    return json.contains("config") ? json.at("config").at("model") : json.at("model");
  };
  workspace.write("short.csv", rows_of(1200, 8));
  workspace.write("longer.csv", rows_of(1200, 40));
  const std::string configs = std::string(DIFFUSE_SOURCE_DIR) + "/configs/";
  EXPECT_EQ(model_of({"train", "--train", "short.csv", "--dry-run", "--json"}),
            model_of({"config", "--show", configs + "trec.json"}));
  EXPECT_EQ(model_of({"train", "--train", "longer.csv", "--dry-run", "--json"}),
            model_of({"config", "--show", configs + "r8.json"}));
}

/// The config that `--train FILE` chooses for `rows` rows.
Json chosen_for(const Workspace& workspace, const std::string& csv,
                const std::vector<std::string>& more = {}) {
  workspace.write("rows.csv", csv);
  std::vector<std::string> arguments = {"train", "--train", "rows.csv", "--dry-run", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = workspace.run(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  return Json::parse(outcome.out).at("config");
}

TEST(DefaultChoices, TrainAsTheShippedConfigsDo) {
  const Workspace workspace;
  const auto train_of = [](Json config) {
    Json train = config.at("train");
    train.erase("warmup");  // a tenth of a short training
    return train;
  };
  for (const auto& [words, name] : {std::pair(8, "trec.json"), std::pair(40, "r8.json")}) {
    const Outcome shipped =
        workspace.run({"config", "--show", std::string(DIFFUSE_SOURCE_DIR) + "/configs/" + name});
    const Json chosen = chosen_for(workspace, rows_of(1200, words));
    EXPECT_EQ(train_of(chosen), train_of(Json::parse(shipped.out))) << name;
    EXPECT_EQ(chosen.at("data").at("validation_fraction"), 0) << name;
  }
}

TEST(DefaultChoices, ChangeAtTheirLimits) {
  const Workspace workspace;
  const auto length = [&](int rows, int words, int classes) {
    return chosen_for(workspace, rows_of(rows, words, classes)).at("train").at("length");
  };
  EXPECT_EQ(length(199, 8, 3), "auto");
  EXPECT_EQ(length(200, 8, 3), "12e");
  EXPECT_EQ(length(499, 40, 3), "auto");
  EXPECT_EQ(length(500, 40, 3), "12e");
  EXPECT_EQ(length(999, 8, 2), "auto");
  EXPECT_EQ(length(1000, 8, 2), "4e");
  EXPECT_EQ(length(19'999, 8, 3), "12e");
}

TEST(DefaultChoices, OfManyTextsHavePairsAndAnAdversarialStep) {
  const Workspace workspace;
  EXPECT_EQ(chosen_for(workspace, rows_of(29'999, 8)).at("model").at("bigram_buckets"), 0);
  const Json many = chosen_for(workspace, rows_of(30'000, 8));
  EXPECT_EQ(many.at("model").at("bigram_buckets"), 262144);
  EXPECT_EQ(many.at("model").at("embedding_dropout"), 0.3);
  EXPECT_EQ(many.at("train").at("adversarial"), 0.05);
  EXPECT_EQ(many.at("train").at("length"), "4e");
  EXPECT_EQ(many.at("train").at("schedule"), "linear");
}

TEST(DefaultChoices, OfLongTextsDependOnTheirNumber) {
  const Workspace workspace;
  for (const auto& [rows, batch] : {std::pair(1200, 32), std::pair(20'000, 64)}) {
    const Json config = chosen_for(workspace, rows_of(rows, 150));
    EXPECT_EQ(config.at("tokenizer").at("max_tokens"), 512) << rows;
    EXPECT_EQ(config.at("train").at("batch_size"), batch) << rows;
    EXPECT_EQ(config.at("model").at("bigram_buckets"), 0) << rows;
  }
}

TEST(DefaultChoices, OfSeveralLabelsHoldRowsBackForThresholds) {
  const Workspace workspace;
  const std::vector<std::string> several = {"--set", "data.label_separator=|"};
  const auto fraction = [&](int rows) {
    return chosen_for(workspace, rows_of(rows, 8), several).at("data").at("validation_fraction");
  };
  EXPECT_EQ(fraction(199), -1);
  EXPECT_EQ(fraction(200), 0.1);
  EXPECT_EQ(fraction(1999), 0.1);
  EXPECT_EQ(fraction(2000), -1);
}

TEST(DefaultChoices, OfTwoClassesAreAShortTraining) {
  const Workspace workspace;
  workspace.write("two.csv", rows_of(1200, 8, 2));
  const Outcome outcome = workspace.run({"train", "--train", "two.csv", "--dry-run", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json config = Json::parse(outcome.out).at("config");
  EXPECT_EQ(config.at("train").at("length"), "4e");
  EXPECT_EQ(config.at("data").at("validation_fraction"), 0);
}

TEST(DefaultChoices, FitWhatIsGivenBesideThem) {
  const Workspace workspace;
  workspace.write("short.csv", rows_of(1200, 8));
  const Outcome outcome =
      workspace.run({"train", "--train", "short.csv", "--dry-run", "--json", "--set",
                     "model.dilation=[1,2]", "--set", "model.weight_init=0.5"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json model = Json::parse(outcome.out).at("config").at("model");
  EXPECT_EQ(model.at("steps"), 2);
  EXPECT_EQ(model.at("weight"), "full") << "another key that begins so is given";
}

TEST(DefaultChoices, LongTextsGetRoom) {
  const Workspace workspace;
  std::string csv;
  for (int i = 0; i < 1200; ++i) {
    csv += i % 2 == 0 ? "good,\"" : "bad,\"";
    for (int k = 0; k < 200; ++k) csv += i % 2 == 0 ? "sun " : "rain ";
    csv += "\"\n";
  }
  workspace.write("long.csv", csv);
  const Outcome outcome = workspace.run({"train", "--train", "long.csv", "--dry-run", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json config = Json::parse(outcome.out).at("config");
  EXPECT_EQ(config.at("tokenizer").at("max_tokens"), 512);
  EXPECT_EQ(config.at("train").at("batch_size"), 32);
}

}  // namespace
}  // namespace diffuse::testing
