#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Files of people: another separator, another format, a class of their own. `runs/small` was
/// trained on commas without a header.
Outcome eval(const std::string& file, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"eval", "--checkpoint", "runs/small", "--data", file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return trained_workspace().workspace.run(arguments);
}

/// A dry run on the workspace's training file.
Outcome train(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"train", "--config", "small.json", "--dry-run"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return trained_workspace().workspace.run(arguments);
}

void write(const std::string& name, const std::string& content) {
  trained_workspace().workspace.write(name, content);
}

TEST(OwnSeparator, IsFoundByEvalPredictAndOfFilesBesideTraining) {
  write("other.csv", "sport;\"the match; a goal\"\nweather;rain, storm\nmoney;bank shares\n");
  write("comma.csv", "sport,\"the match; a goal\"\nweather,\"rain, storm\"\nmoney,bank shares\n");
  const Outcome outcome = eval("other.csv");
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("text is column 2; the separator is \";\""));
  EXPECT_EQ(lines_of(outcome.out).at(0), lines_of(eval("comma.csv").out).at(0));
  const Workspace& workspace = trained_workspace().workspace;
  const auto predict = [&](const std::string& file) {
    return workspace.run({"predict", "--checkpoint", "runs/small", file});
  };
  EXPECT_EQ(predict("other.csv").out, predict("comma.csv").out);
  const Outcome training = train({"--validation", "other.csv", "--test", "other.csv"});
  EXPECT_EQ(training.exit_code, 0) << training;
  EXPECT_THAT(training.err, HasSubstr("data.validation: 3 rows"));
}

TEST(OwnSeparator, RowsThatPredictMayTakeWholeOrNotAreRefused) {
  write("three.csv", "7;sport;the match\n8;weather;rain\n");
  const std::vector<std::string> predict = {"predict", "--checkpoint", "runs/small", "three.csv"};
  const Outcome outcome = trained_workspace().workspace.run(predict);
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.out, ::testing::IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("--set data.separator=';' takes it"));
}

TEST(OtherFormat, NamesTheWayThrough) {
  write("lines.csv", "{\"label\": \"sport\", \"text\": \"the match\"}\n");
  const Outcome outcome = eval("lines.csv");
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err,
              HasSubstr("lines.csv:1: the file holds JSON objects; expected CSV or TSV, "
                        "or a name that ends in .jsonl (or --set data.format=jsonl)"));
  EXPECT_EQ(eval("lines.csv", {"--set", "data.format=jsonl"}).exit_code, 0);
  const Outcome predict = trained_workspace().workspace.run(
      {"predict", "--checkpoint", "runs/small", "lines.csv", "--set", "data.format=jsonl"});
  EXPECT_EQ(predict.exit_code, 0) << predict;
  EXPECT_THAT(predict.out, StartsWith("sport\t"));
  write("array.json", "[{\"label\": \"sport\", \"text\": \"the match\"}]");
  EXPECT_THAT(eval("array.json").err, HasSubstr("`jq -c '.[]' "));
}

TEST(NoFile, IsSaidPlainly) {
  write("empty.csv", "");
  for (const auto& [file, message] : std::vector<std::pair<std::string, std::string>>{
           {"-", "--data -: eval reads its rows from a file"},
           {"/dev/null", "/dev/null is a device; expected a file"},
           {"empty.csv", "empty.csv: the file is empty; expected at least one row"}}) {
    const Outcome outcome = eval(file);
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

TEST(OnErrorSkip, OfRowsThatAreAllBadSaysWhatTheyHaveInCommon) {
  write("bad.csv", "sport,\nweather,\n");
  const Outcome outcome = eval("bad.csv", {"--on-error", "skip"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("bad.csv: no usable rows, 2 bad ones, all of them as line 1: "
                                     "empty text; expected at least one character"));
}

TEST(TestFile, OfTrainingCountsAClassThatTheModelLacksAsEvalDoes) {
  Workspace workspace;
  workspace.write("test.csv", easy_csv(3, 1000) + "sprot,the match\n");
  const Outcome outcome = workspace.run({"train", "--config", "small.json", "--out", "run"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err,
              HasSubstr("data.test: 1 of 4 rows (25 %) have a label that the model lacks and count "
                        "as wrong: \"sprot\" 1 (line 4: unknown label \"sprot\", did you mean "
                        "\"sport\"?)"));
  const auto test = nlohmann::json::parse(read_file(workspace.path() / "run/test.json"));
  EXPECT_EQ(test["count"], 4);
  EXPECT_EQ(test["unknown_class"], 1);
  const Outcome eval = workspace.run({"eval", "--checkpoint", "run", "--json"});
  EXPECT_EQ(nlohmann::json::parse(eval.out)["accuracy"], test["accuracy"]);
}

TEST(FilesBesideTraining, AreNotAdvisedToChangeItsSettings) {
  write("named.csv", "label,text\n" + easy_csv(60));
  write("bare.csv", "sport,the match\n");
  const Outcome outcome = train({"--train", "named.csv", "--test", "bare.csv"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("expected a header with these names (data.test; another "
                                           "file: --test FILE"),
                                 Not(HasSubstr("data.header"))));
}

TEST(Patience, WithoutValidationRowsIsSaidToHaveNoEffect) {
  const std::vector<std::string> few = {"--set", "data.validation_fraction=-1", "--set",
                                        "train.patience=3"};
  const Outcome outcome = train(few);
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("warning: train.patience = 3 has no effect: there are no "
                                     "validation rows to wait for; data.validation names"));
  EXPECT_THAT(train({"--set", "train.patience=3"}).err, Not(HasSubstr("no effect")));
}

}  // namespace
}  // namespace diffuse::testing
