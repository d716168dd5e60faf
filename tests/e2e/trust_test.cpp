// Trust in one's own figures: a test part of the training file, classes that are never right, and
// calibrated probabilities.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/fixtures.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

namespace fs = std::filesystem;
using Json = nlohmann::json;

TEST(TestFraction, IsTestedAndNeverTrainedOn) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(
      small_run("run", {"--set", "data.test=", "--test-fraction", "0.2", "--set", "ngrams.max=1"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("test accuracy  "),
                                 HasSubstr("diffuse eval --checkpoint run --data FILE\n")));
  const Json test = Json::parse(read_file(workspace.path() / "run/test.json"));
  EXPECT_EQ(test.at("count"), 42);
  EXPECT_EQ(test.at("data").at("training_rows"), 0);
  const Outcome eval = workspace.run({"eval", "--checkpoint", "run"});
  EXPECT_EQ(eval.exit_code, 2) << eval;
  EXPECT_THAT(eval.err,
              HasSubstr("the model was tested on a part of its training file "
                        "(data.test_fraction), and test.json of its run has the figures"));
  const Outcome again = workspace.run({"train", "--resume", "run", "--set", "train.length=7e"});
  ASSERT_EQ(again.exit_code, 0) << again;
  EXPECT_EQ(Json::parse(read_file(workspace.path() / "run/test.json")).at("count"), 42);
  const Outcome changed = workspace.run({"train", "--resume", "run", "--test-fraction", "0.3"});
  EXPECT_EQ(changed.exit_code, 2) << changed;
  EXPECT_THAT(changed.err, HasSubstr("data.test_fraction: 0.3 instead of 0.2"));
}

TEST(TestFraction, DoesNotStandBesideATestFile) {
  const Workspace workspace;
  const Outcome outcome = workspace.run(small_run("run", {"--test-fraction", "0.2"}));
  EXPECT_EQ(outcome.exit_code, 2) << outcome;
  EXPECT_THAT(outcome.err,
              HasSubstr("0.2 splits test rows off, but data.test names a file of them"));
}

TEST(TestFraction, WorksWithoutAConfig) {
  const Workspace workspace;
  const Outcome outcome =
      workspace.run({"train", "--train", "train.csv", "--test-fraction", "0.1", "--out", "run",
                     "--set", "train.length=2e", "--set", "train.warmup=1u"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  // The defaults were chosen on the other rows.
  EXPECT_THAT(outcome.err, HasSubstr("defaults for 189 rows of 3 classes"));
  EXPECT_EQ(Json::parse(read_file(workspace.path() / "run/test.json")).at("count"), 21);
}

TEST(MissedClasses, AreAWarning) {
  const Workspace workspace;
  // No word tells the one row of "rare" in training from the others.
  workspace.write("train.csv", easy_csv(210) + "rare,the match today goal number 3\n");
  workspace.write("test.csv", easy_csv(60, 1000) + "rare,the goal again match number 4\n");
  const Outcome outcome = workspace.run(small_run("run"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome;
  const char* const kText =
      "1 of 4 classes with test rows is never answered right: \"rare\" (1 row, never predicted)";
  EXPECT_THAT(outcome.err, HasSubstr(kText));
  EXPECT_EQ(Json::parse(read_file(workspace.path() / "run/test.json")).at("missed_classes"),
            Json::parse(R"(["rare"])"));
  EXPECT_THAT(read_file(workspace.path() / "run/report.html"),
              HasSubstr("1 of 4 classes with test rows is never answered right"));
  const Outcome eval = workspace.run({"eval", "--checkpoint", "run"});
  EXPECT_THAT(eval.err, HasSubstr("1 of 4 classes with test.csv rows is never answered right"));
}

TEST(Calibration, EvalAndPredictDivideByTheSameTemperature) {
  const Workspace& workspace = trained_workspace().workspace;
  const fs::path run = workspace.path() / "runs/small";
  const double temperature = Json::parse(read_file(run / "checkpoints/best/calibration.json"))
                                 .at("temperature")
                                 .get<double>();
  const Json test = Json::parse(read_file(run / "test.json"));
  EXPECT_EQ(test.at("calibration").at("temperature"), temperature);
  const Outcome eval = workspace.run(
      {"eval", "--checkpoint", "runs/small", "--threads", "1", "--output", "calibrated.tsv"});
  EXPECT_THAT(eval.out, HasSubstr("without its temperature of "));
  const std::string tsv = read_file(workspace.path() / "calibrated.tsv");
  const Outcome predicted =
      workspace.run({"predict", "--checkpoint", "runs/small", "test.csv", "--threads", "1"});
  const std::vector<std::string> rows = lines_of(tsv);
  const std::vector<std::string> answers = lines_of(predicted.out);
  ASSERT_EQ(rows.size(), answers.size() + 1);
  for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_TRUE(rows[i + 1].ends_with(answers[i]));

  // An older checkpoint has none, and answers the same.
  Workspace other;
  fs::copy(fs::canonical(run / "checkpoints/best"), other.path() / "old",
           fs::copy_options::recursive);
  fs::remove(other.path() / "old/manifest.json");
  fs::remove(other.path() / "old/calibration.json");
  const Outcome old = other.run({"eval", "--checkpoint", "old", "--data", "test.csv", "--json"});
  ASSERT_EQ(old.exit_code, 0) << old;
  const Json plain = Json::parse(old.out);
  EXPECT_TRUE(plain.at("calibration").is_null());
  EXPECT_EQ(plain.at("confusion"), test.at("confusion"));
  EXPECT_NEAR(plain.at("ece").get<double>(), test.at("calibration").at("ece_before").get<double>(),
              1e-6);
}

}  // namespace
}  // namespace diffuse::testing
