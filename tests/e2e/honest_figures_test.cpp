#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

namespace fs = std::filesystem;

/// A run of the small config on files in `workspace`, its settings for the data apart.
Outcome train(const Workspace& workspace, std::vector<std::string> more,
              const std::string& fraction = "-1") {
  std::vector<std::string> arguments = {"train",
                                        "--config",
                                        "small.json",
                                        "--out",
                                        "run",
                                        "--set",
                                        "data.validation_fraction=" + fraction,
                                        "--set",
                                        "tokenizer.min_count=0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return workspace.run(arguments);
}

/// Nine in ten of the rows are "calm"; the words tell which.
std::string uneven_csv(int rows, int first) {
  std::string csv;
  for (int i = first; i < first + rows; ++i) {
    const bool alarm = i % 10 == 3;
    csv += alarm ? "alarm,smoke and fire " : "calm,nothing to report ";
    csv += std::to_string(i) + "\n";
  }
  return csv;
}

TEST(HonestFigures, StandBesideTheMostFrequentClass) {
  const Workspace workspace;
  workspace.write("train.csv", uneven_csv(200, 0));
  workspace.write("test.csv", uneven_csv(60, 1000));
  const Outcome outcome = train(workspace, {});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("test majority  90.00 %  (always \"calm\", the most frequent class in "
                      "training)\n"),
            HasSubstr("test macro-F1  "), HasSubstr("checkpoint  the last one, at update ")));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("200 rows are too few to choose a checkpoint"),
                                 Not(HasSubstr("no better than"))));
  const auto test = nlohmann::json::parse(read_file(workspace.path() / "run/test.json"));
  EXPECT_EQ(test["majority"]["label"], "calm");
  EXPECT_EQ(test["majority"]["accuracy"], 0.9);
  EXPECT_GT(test["accuracy"], 0.9);
  for (const auto& cell : test["confusion"]) EXPECT_GT(cell.at(2), 0);
  EXPECT_EQ(fs::canonical(workspace.path() / "run/checkpoints/best"),
            fs::canonical(workspace.path() / "run/checkpoints/last"));
  EXPECT_THAT(read_file(workspace.path() / "run/report.html"),
              HasSubstr("<dt>most frequent class</dt><dd class=\"value\">90.00 %</dd>"));
}

TEST(HonestFigures, AModelThatLearnedNothingIsSaidToHave) {
  const Workspace workspace;
  workspace.write("train.csv", uneven_csv(200, 0));
  workspace.write("test.csv", uneven_csv(60, 1000));
  const Outcome outcome = train(workspace, {"--set", "train.learning_rate=1e-9", "--set",
                                            "train.length=2u", "--set", "train.warmup=1u"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("the model is no better than its most frequent class: "));
}

TEST(HonestFigures, WhereRowsChooseEveryClassHasOne) {
  const Workspace workspace;
  workspace.write("train.csv", uneven_csv(100, 0) + "rare,a thing apart\nrare,another thing\n" +
                                   "single,one of its kind\n");
  const Outcome outcome = train(workspace, {"--set", "data.test=", "--dry-run", "--json"}, "0.05");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["classes_without_validation"], nlohmann::json::parse("[\"single\"]"));
  EXPECT_THAT(outcome.err, HasSubstr("no validation row has the class \"single\""));
}

TEST(HonestFigures, RepeatedAndContradictingTextsAreTold) {
  const Workspace workspace;
  workspace.write("train.csv",
                  easy_csv(60) + "sport,a text of two minds\nmoney,a text of two minds\n");
  workspace.write("test.csv", easy_csv(6) + easy_csv(6, 1000));
  const Outcome outcome = train(workspace, {"--dry-run", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("data.test: 6 of 12 texts stand in data.train, too"),
                    HasSubstr("data.train: 1 text has more than one label (2 of its rows)")));
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["test"]["training_rows"], 6);
  EXPECT_EQ(json["train"]["ambiguous_texts"], 1);
}

TEST(HonestFigures, EvalKnowsTextsOfTheTrainingAgain) {
  const Workspace& workspace = trained_workspace().workspace;
  workspace.write("known.csv", easy_csv(3) + "sport,xyzzy never seen\n");
  const std::vector<std::string> arguments = {"eval",   "--checkpoint", "runs/small",
                                              "--data", "known.csv",    "--json"};
  const Outcome eval = workspace.run(arguments);
  ASSERT_EQ(eval.exit_code, 0) << eval;
  EXPECT_THAT(eval.err, HasSubstr("warning: known.csv: 3 of 4 texts stand in data.train, too: what "
                                  "is right on them may be remembered"));
  EXPECT_EQ(nlohmann::json::parse(eval.out)["data"]["training_rows"], 3);
  // Whoever gives a model away may keep to himself which texts it was trained on.
  fs::copy(fs::canonical(workspace.path() / "runs/small/checkpoints/best"),
           workspace.path() / "given", fs::copy_options::recursive);
  fs::remove(workspace.path() / "given/texts.bin");
  const Outcome given =
      workspace.run({"eval", "--checkpoint", "given", "--data", "known.csv", "--json"});
  ASSERT_EQ(given.exit_code, 0) << given;
  EXPECT_TRUE(nlohmann::json::parse(given.out)["data"]["training_rows"].is_null());
}

TEST(HonestFigures, CutTextsAndUnknownWordsAreToldByTrainAndEval) {
  const Workspace workspace;
  const Outcome training = train(workspace, {"--set", "tokenizer.max_tokens=5", "--set",
                                             "train.length=2u", "--set", "train.warmup=1u"});
  ASSERT_EQ(training.exit_code, 0) << training;
  const char* const cut =
      "60 of 60 texts are longer than tokenizer.max_tokens = 5; 29 % of their tokens are not read";
  EXPECT_THAT(training.err, HasSubstr(std::string("data.test: ") + cut));
  EXPECT_THAT(training.err, HasSubstr("210 texts cut, 29 % unread"));
  const auto report = read_file(workspace.path() / "run/report.html");
  EXPECT_THAT(report, HasSubstr(cut));
  const Outcome eval = workspace.run({"eval", "--checkpoint", "run"});
  EXPECT_THAT(eval.err, HasSubstr(std::string("test.csv: ") + cut));
  EXPECT_THAT(eval.out, HasSubstr("read      60 rows, 300 tokens ("));
  workspace.write("foreign.csv", "sport,zwei ganz andere worte\nmoney,noch vier solche dinge\n");
  const Outcome foreign =
      workspace.run({"eval", "--checkpoint", "run", "--data", "foreign.csv", "--json"});
  ASSERT_EQ(foreign.exit_code, 0) << foreign;
  EXPECT_THAT(foreign.err, HasSubstr("foreign.csv: 100 % of the tokens are words that are not in "
                                     "the vocabulary"));
  EXPECT_EQ(nlohmann::json::parse(foreign.out)["data"]["unknown_tokens"], 8);
}

}  // namespace
}  // namespace diffuse::testing
