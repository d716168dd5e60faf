// How much rows count, and what a model's probabilities teach another.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

std::vector<std::string> train(const std::string& out, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"train", "--config", "small.json", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string weights_file(const Workspace& workspace, const std::string& run) {
  return read_file(workspace.path() / run / "checkpoints/last/model.safetensors");
}

TEST(WeightedTraining, AreToldAndChangeTheModel) {
  const Workspace workspace;
  ASSERT_EQ(workspace.run(train("plain", {})).exit_code, 0);
  const Outcome named =
      workspace.run(train("named", {"--set", "train.class_weights={\"sport\": 3}"}));
  ASSERT_EQ(named.exit_code, 0) << named;
  EXPECT_THAT(named.err,
              AllOf(HasSubstr("row weights"),
                    HasSubstr("by class: money 1, sport 3, weather 1; from 1 to 3 a row")));
  EXPECT_NE(weights_file(workspace, "named"), weights_file(workspace, "plain"));
  const Outcome balanced =
      workspace.run(train("balanced", {"--set", "train.class_weights=balanced"}));
  ASSERT_EQ(balanced.exit_code, 0) << balanced;
  const Outcome unknown =
      workspace.run(train("unknown", {"--set", "train.class_weights={\"sprot\": 3}"}));
  EXPECT_EQ(unknown.exit_code, 2) << unknown;
  EXPECT_THAT(
      unknown.err,
      HasSubstr("train.class_weights: there is no class \"sprot\", did you mean \"sport\"?; "
                "expected \"money\", \"sport\", \"weather\""));
}

/// The rows of `csv`, `label,text`, with a weight behind each and a header.
std::string with_weights(const std::string& csv) {
  std::string out = "label,text,w\n";
  int row = 0;
  for (const std::string& line : lines_of(csv))
    out += line + "," + std::to_string(row++ % 4) + "\n";
  return out;
}

TEST(WeightedTraining, StaysOverCacheAndResume) {
  const Workspace workspace;
  workspace.write("weighted.csv", with_weights(easy_csv(120)));
  workspace.write("named.csv", "label,text\n" + easy_csv(60, 1000));
  const std::vector<std::string> more = {
      "--train", "weighted.csv",         "--test", "named.csv",
      "--set",   "data.weight_column=w", "--set",  "train.evaluate_every=10u"};
  const auto with = [&more](std::vector<std::string> others) {
    others.insert(others.begin(), more.begin(), more.end());
    return others;
  };
  const Outcome whole = workspace.run(train("whole", with({"--set", "train.length=40u"})));
  ASSERT_EQ(whole.exit_code, 0) << whole;
  EXPECT_THAT(whole.err, HasSubstr("column w; from 0 to 3 a row"));
  ASSERT_EQ(
      workspace
          .run(train("parts", with({"--set", "train.length=40u", "--set", "train.max_updates=20"})))
          .exit_code,
      0);
  const Outcome resumed =
      workspace.run({"train", "--resume", "parts", "--set", "train.max_updates=0"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed;
  EXPECT_THAT(resumed.err, HasSubstr("(cached)"));
  EXPECT_TRUE(weights_file(workspace, "whole") == weights_file(workspace, "parts"));
  // A checkpoint's own test file need not have the column.
  const Outcome eval = workspace.run({"eval", "--checkpoint", "whole", "--data", "named.csv"});
  EXPECT_EQ(eval.exit_code, 0) << eval;
}

TEST(TaughtTraining, OfOneModelTeachAnother) {
  const Workspace& teacher = trained_workspace().workspace;
  const Workspace workspace;
  std::string texts;
  for (const std::string& line : lines_of(easy_csv(150, 1000))) {
    const std::size_t comma = line.find(',');
    if (line.starts_with("label,")) continue;
    texts +=
        nlohmann::json{{"text", line.substr(comma + 1)}, {"label", line.substr(0, comma)}}.dump() +
        "\n";
  }
  const std::vector<std::string> predict = {
      "predict",  "--checkpoint", "runs/small", "--input-format", "jsonl",
      "--format", "jsonl",        "--keep",     "text",           "--probabilities"};
  const Outcome taught = teacher.run(predict, texts);
  ASSERT_EQ(taught.exit_code, 0) << taught;
  const auto first = nlohmann::json::parse(lines_of(taught.out).at(0));
  ASSERT_EQ(first.at("probabilities").size(), 3U) << taught.out;
  double sum = 0;
  for (const auto& [name, probability] : first.at("probabilities").items())
    sum += probability.get<double>();
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_NEAR(first.at("probabilities").at(first.at("label").get<std::string>()).get<double>(),
              first.at("probability").get<double>(), 1e-6);

  workspace.write("taught.jsonl", taught.out);
  workspace.write("named.csv", "label,text\n" + easy_csv(60, 1000));
  const std::vector<std::string> student = {"--train", "taught.jsonl",
                                            "--test",  "named.csv",
                                            "--set",   "data.soft_labels=probabilities",
                                            "--set",   "train.soft_label_weight=1"};
  const Outcome training = workspace.run(train("student", student));
  ASSERT_EQ(training.exit_code, 0) << training;
  EXPECT_THAT(training.err, HasSubstr("120 of 120 rows"));
  const Outcome eval =
      workspace.run({"eval", "--checkpoint", "student", "--data", "named.csv", "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval;
  EXPECT_GT(nlohmann::json::parse(eval.out).at("accuracy").get<double>(), 0.8);

  // The rows' own labels beside the teacher's probabilities.
  std::vector<std::string> keeping = predict;
  keeping[8] = "text,label";
  const Outcome labelled = teacher.run(keeping, texts);
  ASSERT_EQ(labelled.exit_code, 0) << labelled;
  const auto row = nlohmann::json::parse(lines_of(labelled.out).at(0));
  EXPECT_EQ(row.at("label"), nlohmann::json::parse(lines_of(texts).at(0)).at("label"));
  EXPECT_THAT(lines_of(labelled.out).at(0), Not(HasSubstr("\"probability\"")));
}

TEST(TaughtTraining, NeedJsonl) {
  const Workspace workspace;
  const Outcome table = workspace.run(train("t", {"--set", "data.soft_labels=p"}));
  EXPECT_EQ(table.exit_code, 2) << table;
  EXPECT_THAT(table.err, HasSubstr("train.csv: a csv file has no place for soft labels"));
  workspace.write("rows.jsonl",
                  "{\"label\":\"a\",\"text\":\"one\",\"p\":{\"a\":1}}\n"
                  "{\"label\":\"b\",\"text\":\"two\"}\n");
  const Outcome misspelt = workspace.run(
      {"train", "--train", "rows.jsonl", "--out", "t", "--set", "data.soft_labels=q"});
  EXPECT_EQ(misspelt.exit_code, 2) << misspelt;
  EXPECT_THAT(misspelt.err, HasSubstr("rows.jsonl: no row has the key \"q\" (data.soft_labels); "
                                      "expected a probability for each class under it"));
  const Outcome tsv = trained_workspace().workspace.run(
      {"predict", "--checkpoint", "runs/small", "--probabilities"}, "a\n");
  EXPECT_EQ(tsv.exit_code, 2) << tsv;
  EXPECT_THAT(tsv.err, HasSubstr("--probabilities: only --format jsonl has a place for them"));
}

}  // namespace
}  // namespace diffuse::testing
