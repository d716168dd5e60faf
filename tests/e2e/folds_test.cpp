// Cross-validation and its ensemble.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> small_folds(const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"train", "--config", "small.json", "--out", out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// A workspace with the ensemble of three folds `cv` and what its training printed. Made once.
struct EnsembleWorkspace {
  Workspace workspace;
  Outcome training = workspace.run(small_folds("cv", {"--folds", "3", "--ensemble", "--json"}));
};
const EnsembleWorkspace& ensemble() {
  static const EnsembleWorkspace made;
  return made;
}

TEST(Folds, AnswerEachRowOnceByAModelThatHasNotSeenIt) {
  const auto& [workspace, training] = ensemble();
  ASSERT_EQ(training.exit_code, 0) << training;
  const Json json = Json::parse(training.out);
  EXPECT_EQ(json.at("rows"), 210);
  EXPECT_EQ(json.at("folds").size(), 3U);
  double mean = 0;
  for (const Json& fold : json.at("folds")) {
    EXPECT_EQ(fold.at("rows").get<int>() + fold.at("training_rows").get<int>(), 210);
    mean += fold.at("accuracy").get<double>() / 3;
  }
  EXPECT_NEAR(json.at("mean_accuracy").get<double>(), mean, 1e-9);
  EXPECT_GT(json.at("accuracy").get<double>(), 0.9);
  EXPECT_LT(json.at("accuracy_interval").at(0), json.at("accuracy"));
  EXPECT_EQ(Json::parse(read_file(workspace.path() / "cv/cross-validation.json")), json);

  int right = 0;
  const std::vector<std::string> lines =
      lines_of(read_file(workspace.path() / "cv/predictions.jsonl"));
  ASSERT_EQ(lines.size(), 210U);
  for (const std::string& line : lines) {
    const Json row = Json::parse(line);
    double best = 0;
    std::string answer;
    for (const auto& [name, share] : row.at("probabilities").items()) {
      if (share.get<double>() <= best) continue;
      best = share.get<double>();
      answer = name;
    }
    right += answer == row.at("label") ? 1 : 0;
  }
  EXPECT_NEAR(json.at("accuracy").get<double>(), right / 210.0, 1e-9);
  EXPECT_EQ(Json::parse(lines[0]).at("text"), "the match, the match number 0");
}

// Without its weight a row is a good one: the folds' answers must not be taken for those of the
// rows beside them, whose classes are the other one.
TEST(Folds, ABadRowOfTheTrainingShiftsNoAnswer) {
  const Workspace workspace;
  std::string rows = "label,text,w\n";
  for (int i = 0; i < 61; ++i)
    rows += std::string(i % 2 == 0 ? "sport,goal match number " : "money,stock market number ") +
            std::to_string(i) + (i == 0 ? ",oops\n" : ",1\n");
  workspace.write("weighted.csv", rows);
  const Outcome outcome = workspace.run(small_folds(
      "cv", {"--folds", "2", "--json", "--train", "weighted.csv", "--set", "data.test=", "--set",
             "data.weight_column=w", "--set", "data.on_error=skip", "--set", "train.length=30e"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json.at("rows"), 60);
  EXPECT_GT(json.at("accuracy").get<double>(), 0.9);
}

TEST(Folds, TheTableHasALineForEach) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(small_folds("cv", {"--folds", "2"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("fold  trained on  rows  accuracy  macro-F1  training time\n"),
                    HasSubstr("   2         105   105  "), HasSubstr("cross-validated accuracy  "),
                    HasSubstr("(2 folds: mean "), HasSubstr("cross-validated majority  33.33 %"),
                    HasSubstr("diffuse train --config cv/config.json    (one model, of all rows)"),
                    Not(HasSubstr("ensemble"))));
  // What is not asked for is not kept.
  EXPECT_FALSE(fs::exists(workspace.path() / "cv/folds/1/checkpoints"));
  const Outcome eval = workspace.run({"eval", "--checkpoint", "cv"});
  EXPECT_EQ(eval.exit_code, 2) << eval;
  EXPECT_THAT(eval.err, HasSubstr("'cv' is a cross-validation that kept no model; `train --folds 2 "
                                  "--ensemble` keeps them"));
}

TEST(Folds, TheModelsOfAnEnsembleAnswerTogether) {
  const auto& [workspace, training] = ensemble();
  ASSERT_EQ(training.exit_code, 0) << training;
  const Json test = Json::parse(training.out).at("ensemble");
  EXPECT_EQ(test.at("count"), 60);
  EXPECT_EQ(Json::parse(read_file(workspace.path() / "cv/test.json")), test);
  const Outcome eval = workspace.run(
      {"eval", "--checkpoint", "cv", "--threads", "1", "--json", "--output", "cv.tsv"});
  ASSERT_EQ(eval.exit_code, 0) << eval;
  const Json again = Json::parse(eval.out);
  for (const char* key : {"accuracy", "mean_loss", "ece", "confusion"})
    EXPECT_EQ(again.at(key), test.at(key)) << key;

  for (const char* name : {"cv/predictions.jsonl", "cv/folds/1/config.json"}) {
    const Outcome refused = workspace.run({"eval", "--checkpoint", "cv", "--output", name});
    EXPECT_EQ(refused.exit_code, 2) << refused;
    EXPECT_THAT(refused.err, HasSubstr("which would be damaged"));
  }

  // predict gives what eval measured: the mean of the members' probabilities.
  const Outcome predicted = workspace.run({"predict", "--checkpoint", "cv", "test.csv", "--format",
                                           "jsonl", "--probabilities", "--threads", "1"});
  ASSERT_EQ(predicted.exit_code, 0) << predicted;
  std::vector<Json> members;
  for (const char* fold : {"cv/folds/1", "cv/folds/2", "cv/folds/3"}) {
    const Outcome one = workspace.run({"predict", "--checkpoint", fold, "test.csv", "--format",
                                       "jsonl", "--probabilities", "--threads", "1"});
    members.push_back(Json::parse(lines_of(one.out)[7]).at("probabilities"));
  }
  const std::vector<std::string> lines = lines_of(predicted.out);
  ASSERT_EQ(lines.size(), 60U);
  for (const auto& [name, share] : Json::parse(lines[7]).at("probabilities").items()) {
    double mean = 0;
    for (const Json& member : members) mean += member.at(name).get<double>() / 3;
    EXPECT_NEAR(share.get<double>(), mean, 1e-5);
  }
}

TEST(Folds, TeachASmallerModel) {
  const auto& [workspace, training] = ensemble();
  ASSERT_EQ(training.exit_code, 0) << training;
  workspace.write("named.csv", "label,text\n" + easy_csv(60, 1000));  // the names of JSONL
  const Outcome taught = workspace.run(
      small_folds("taught", {"--train", "cv/predictions.jsonl", "--test", "named.csv", "--set",
                             "data.soft_labels=probabilities", "--set", "model.dim=8"}));
  ASSERT_EQ(taught.exit_code, 0) << taught;
  EXPECT_THAT(taught.err, HasSubstr("168 of 168 rows"));  // a fifth of the rows validates
  EXPECT_GT(Json::parse(read_file(workspace.path() / "taught/test.json")).at("accuracy"), 0.9);
}

TEST(Folds, AStoppedRunGoesOnWithTheFoldThatIsNotFinished) {
  const Workspace workspace;
  const std::vector<std::string> settings = {
      "--folds", "3", "--json", "--set", "train.log_every=1", "--set", "train.length=60u"};
  const Outcome whole = workspace.run(small_folds("whole", settings));
  ASSERT_EQ(whole.exit_code, 0) << whole;
  const Outcome stopped =
      workspace.stopped_at({"Fold 2 of 3", "update 7  grad"}, small_folds("parts", settings));
  EXPECT_THAT(stopped.err, HasSubstr("diffuse train --resume parts"));
  EXPECT_THAT(stopped.out, IsEmpty());
  const Outcome refused = workspace.run({"train", "--resume", "parts", "--folds", "3"});
  EXPECT_EQ(refused.exit_code, 2) << refused;
  EXPECT_THAT(refused.err, HasSubstr("--resume goes on with the folds that the run has"));
  const Outcome rest = workspace.run({"train", "--resume", "parts", "--json"});
  ASSERT_EQ(rest.exit_code, 0) << rest;
  EXPECT_THAT(rest.err, AllOf(HasSubstr("fold 1 of 3: done before"), HasSubstr("Fold 2 of 3")));
  EXPECT_EQ(read_file(workspace.path() / "parts/predictions.jsonl"),
            read_file(workspace.path() / "whole/predictions.jsonl"));
  Json parts = Json::parse(rest.out);
  Json all = Json::parse(whole.out);
  EXPECT_EQ(parts.at("accuracy"), all.at("accuracy"));
}

TEST(Folds, AnUnfinishedEnsembleIsToldFrom) {
  const Workspace workspace;
  fs::copy(ensemble().workspace.path() / "cv", workspace.path() / "cv",
           fs::copy_options::recursive);
  fs::remove_all(workspace.path() / "cv/folds/3");
  const Outcome eval = workspace.run({"eval", "--checkpoint", "cv"});
  EXPECT_EQ(eval.exit_code, 2) << eval;
  EXPECT_THAT(eval.err, HasSubstr("The ensemble 'cv' lacks its model 3 of 3: go on with it first, "
                                  "diffuse train --resume cv"));
}

TEST(Folds, OfDataThatAreRefusedLeaveNoFolder) {
  const Workspace workspace;
  workspace.write("reserved.csv", easy_csv(60) + "#error,\"rain, rain\"\n#error,\"storm, sun\"\n");
  workspace.write("alike.csv", "sport,goal\nsport,match\nsport,team\n");
  const auto refused = [&](std::vector<std::string> more) {
    const Outcome outcome = workspace.run(small_folds("cv", std::move(more)));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    EXPECT_FALSE(fs::exists(workspace.path() / "cv"));
    return outcome.err;
  };
  constexpr const char* kReserved = "a class is called \"#error\", which stands for";
  EXPECT_THAT(refused({"--folds", "2", "--train", "reserved.csv"}), HasSubstr(kReserved));
  EXPECT_THAT(refused({"--autotune", "10u", "--train", "reserved.csv"}), HasSubstr(kReserved));
  EXPECT_THAT(refused({"--folds", "2", "--train", "alike.csv"}),
              HasSubstr("expected at least two classes"));
}

TEST(Folds, RefuseWhatCannotStandBesideThem) {
  const Workspace workspace;
  const auto error_of = [&](std::vector<std::string> more) {
    const Outcome outcome = workspace.run(small_folds("run", std::move(more)));
    EXPECT_EQ(outcome.exit_code, 2) << outcome;
    return outcome.err;
  };
  EXPECT_THAT(error_of({"--ensemble"}),
              HasSubstr("--ensemble keeps the models of --folds K; give that, too."));
  EXPECT_THAT(error_of({"--folds", "2", "--baseline", "distilbert"}),
              HasSubstr("--baseline is measured beside one training; --folds cannot stand"));
  EXPECT_THAT(error_of({"--folds", "1"}), HasSubstr("--folds"));
  EXPECT_THAT(error_of({"--folds", "300"}),
              HasSubstr("different texts cannot make 300 folds; expected at least as many"));
  const auto& [other, training] = ensemble();
  EXPECT_THAT(other.run({"predict", "--checkpoint", "cv", "--target-accuracy", "0.9"}, "a\n").err,
              HasSubstr("--target-accuracy: an ensemble has no validation rows of its own"));
  EXPECT_THAT(other.run({"eval", "--checkpoint", "cv", "--compare-precision", "bf16"}).err,
              HasSubstr("--compare-precision is about one model; give one of the ensemble's: "
                        "cv/folds/1"));
}

TEST(Folds, DoNotHoldTheTestPartWhichTheEnsembleAnswers) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run(small_folds("cv", {"--set", "data.test=", "--test-fraction", "0.2", "--folds",
                                       "2", "--ensemble", "--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json.at("rows"), 168);
  EXPECT_EQ(json.at("ensemble").at("count"), 42);
}

}  // namespace
}  // namespace diffuse::testing
