#include "diffuse/eval/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

// Class "sport" is never predicted and "money" occurs nowhere.
Evaluation sample() {
  Evaluation evaluation;
  evaluation.probabilities = {0.75F, 0.25F, 0, 0.5F, 0.25F, 0.25F};
  evaluation.gold = {0, 1};
  evaluation.rows = {1, 4};
  evaluation.metrics = compute_metrics(evaluation.probabilities, evaluation.gold, 3);
  evaluation.time_s = 2;
  evaluation.examples_per_s = 1234.5;
  evaluation.tokens_per_s = 56789.1;
  return evaluation;
}

const Labels kThreeLabels({"world", "sport", "money"});

TEST(Report, AccuracyLineIsStable) {
  Metrics metrics;
  metrics.count = 2189;
  metrics.accuracy = 2128.0 / 2189;
  metrics.accuracy_interval = {0.9641, 0.9789};
  EXPECT_EQ(accuracy_line(metrics), "accuracy  97.21 %  [96.4, 97.9]  n = 2,189");
}

TEST(Report, TableHoldsEveryFigure) {
  EXPECT_EQ(evaluation_report(sample(), kThreeLabels),
            "accuracy  50.00 %  [9.5, 90.5]  n = 2\n"
            "macro-F1  0.3333\n"
            "loss      0.8370  (mean cross-entropy)\n"
            "ECE       0.3750  (15 bins)\n"
            "speed     1,234 examples/s  56,789 tokens/s  (2.0s)\n"
            "\n"
            "class  precision  recall      F1  support\n"
            "world     0.5000  1.0000  0.6667        1\n"
            "sport        n/a  0.0000  0.0000        1\n"
            "money        n/a     n/a     n/a        0\n"
            "\n"
            "gold \\ predicted  world  sport  money\n"
            "world                 1      0      0\n"
            "sport                 1      0      0\n"
            "money                 0      0      0\n"
            "\n"
            "where only the surest answers are given:\n"
            "answered  accuracy  confidence from\n"
            " 100.0 %   50.00 %           0.5000\n");
}

TEST(Report, JsonHoldsTheSameFigures) {
  const auto json = nlohmann::json::parse(evaluation_json(sample(), kThreeLabels));
  EXPECT_EQ(json["count"], 2);
  EXPECT_EQ(json["accuracy"], 0.5);
  EXPECT_EQ(json["accuracy_interval"].size(), 2U);
  EXPECT_EQ(json["tokens_per_s"], 56789.1);
  EXPECT_EQ(json["classes"][0]["label"], "world");
  EXPECT_EQ(json["classes"][0]["precision"], 0.5);
  EXPECT_EQ(json["classes"][1]["precision"], nullptr);
  EXPECT_EQ(json["classes"][2]["f1"], nullptr);
  EXPECT_EQ(json["classes"][2]["support"], 0);
  EXPECT_EQ(json["confusion"], nlohmann::json::parse("[[0,0,1],[1,0,1]]"));
  EXPECT_EQ(json["unknown_class"], 0);
  EXPECT_EQ(json["majority"], nullptr);
  EXPECT_EQ(json["data"], nullptr);
  EXPECT_EQ(json["branches"], nullptr);
  EXPECT_EQ(json["coverage"],
            nlohmann::json::parse(R"([{"coverage": 1, "accuracy": 0.5, "threshold": 0.5}])"));
}

TEST(Report, TellsTheClassesThatAreNeverRight) {
  const auto json = nlohmann::json::parse(evaluation_json(sample(), kThreeLabels));
  EXPECT_EQ(json["missed_classes"], nlohmann::json::parse(R"(["sport"])"));
}

TEST(Report, TellsWhatATemperatureDid) {
  Evaluation evaluation = sample();
  evaluation.calibration = Calibration{.temperature = 1.5, .ece_before = 0.5};
  EXPECT_NE(evaluation_report(evaluation, kThreeLabels)
                .find("ECE       0.3750  (15 bins; 0.5000 without its temperature of 1.5)\n"),
            std::string::npos);
  const auto json = nlohmann::json::parse(evaluation_json(evaluation, kThreeLabels));
  EXPECT_EQ(json["calibration"]["temperature"], 1.5);
  EXPECT_EQ(json["calibration"]["ece_before"], 0.5);
  EXPECT_EQ(nlohmann::json::parse(evaluation_json(sample(), kThreeLabels))["calibration"], nullptr);
}

TEST(Report, TellsWhatEachBranchReaches) {
  Evaluation evaluation = sample();
  evaluation.branches = BranchFigures{{0.5, 1.25}, 0.25, 0.75};
  EXPECT_THAT(evaluation_report(evaluation, kThreeLabels),
              ::testing::HasSubstr("\nbranches  n-grams 75.00 %, network 25.00 %  (each by itself; "
                                   "factors 1.25 and 0.5)\n"));
  const auto json = nlohmann::json::parse(evaluation_json(evaluation, kThreeLabels));
  EXPECT_EQ(json["branches"], nlohmann::json::parse(R"({"ngram_accuracy": 0.75,
      "network_accuracy": 0.25, "ngram_factor": 1.25, "network_factor": 0.5})"));
}

TEST(Report, SaysNothingOfANetworkThatIsNotThere) {
  Evaluation evaluation = sample();
  evaluation.branches = BranchFigures{{1, 1.25}, {}, 0.75};
  EXPECT_THAT(evaluation_report(evaluation, kThreeLabels),
              ::testing::HasSubstr("\nbranches  n-grams 75.00 %, no network  (factor 1.25)\n"));
  const auto json = nlohmann::json::parse(evaluation_json(evaluation, kThreeLabels));
  EXPECT_EQ(json["branches"]["network_accuracy"], nullptr);
}

/// The sample with training's classes and what was read.
Evaluation sample_beside_its_baseline() {
  Evaluation evaluation = sample();
  evaluation.metrics.majority = majority_of(evaluation.metrics, std::vector<std::int64_t>{3, 9, 1});
  evaluation.data = PartSummary{.name = "t.csv",
                                .rows = 2,
                                .tokens = 10,
                                .unknown_tokens = 3,
                                .max_tokens = 5,
                                .file_rows = 2,
                                .file_tokens = 10,
                                .cut = {1, 8, 3}};
  return evaluation;
}

TEST(Report, FiguresStandBesideWhatTheMostFrequentClassWouldReach) {
  Evaluation evaluation = sample_beside_its_baseline();
  const std::string text = evaluation_report(evaluation, kThreeLabels);
  EXPECT_NE(text.find("\nmajority  50.00 %  (always \"sport\", the most frequent class in "
                      "training)\nmacro-F1"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nread      2 rows, 10 tokens (30 % unknown words, 1 text cut, 23 % "
                      "unread)\n"),
            std::string::npos)
      << text;
  const auto json = nlohmann::json::parse(evaluation_json(evaluation, kThreeLabels));
  EXPECT_EQ(json["majority"]["label"], "sport");
  EXPECT_EQ(json["majority"]["accuracy"], 0.5);
  EXPECT_EQ(json["data"]["unknown_tokens"], 3);
  EXPECT_EQ(json["data"]["cut_rows"], 1);
  EXPECT_EQ(json["data"]["unread_tokens"], 3);
  EXPECT_TRUE(json["data"].at("training_rows").is_null()) << "never compared with training";
  EXPECT_EQ(json["data"]["ambiguous_texts"], 0);
  evaluation.data->training_rows = 0;
  EXPECT_EQ(
      nlohmann::json::parse(evaluation_json(evaluation, kThreeLabels))["data"]["training_rows"], 0);
}

TEST(Report, AModelNoBetterThanTheMajorityIsSaidToBeSo) {
  Evaluation evaluation = sample_beside_its_baseline();
  EXPECT_EQ(majority_warning(evaluation.metrics, kThreeLabels, "test"),
            "the model is no better than its most frequent class: 50.00 % of the test rows are "
            "right, and 50.00 % would be by always answering \"sport\"");
  evaluation.metrics.accuracy = 0.51;
  EXPECT_EQ(majority_warning(evaluation.metrics, kThreeLabels, "test"), "");
}

TEST(Report, RowsOfClassesThatTheModelLacks) {
  Evaluation evaluation = sample();
  evaluation.gold = {0, -1};
  evaluation.metrics = compute_metrics(evaluation.probabilities, evaluation.gold, 3);
  EXPECT_NE(evaluation_report(evaluation, kThreeLabels).find("\nno class  1 of these rows"),
            std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(evaluation_json(evaluation, kThreeLabels))["unknown_class"], 1);
  const testing::TempDir dir;
  write_predictions(dir.path() / "p.tsv", evaluation, kThreeLabels);
  EXPECT_EQ(read_file(dir.path() / "p.tsv"),
            "row\tgold\tpredicted\tprobability\n"
            "1\tworld\tworld\t0.750000\n"
            "4\t#unknown\tworld\t0.500000\n");
}

TEST(Report, ManyClassesGetAListOfConfusionsInsteadOfAMatrix) {
  constexpr std::int64_t kClasses = 40;
  Evaluation evaluation;
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < kClasses; ++c) names.push_back("class " + std::to_string(c));
  // Two rows of class 3 are taken for class 5, one of class 0 for class 39; the others are right.
  for (const auto& [gold, predicted] : {std::pair{3, 5}, {3, 5}, {0, 39}, {1, 1}}) {
    std::vector<float> row(kClasses, 0.0F);
    row[static_cast<std::size_t>(predicted)] = 1.0F;
    evaluation.probabilities.insert(evaluation.probabilities.end(), row.begin(), row.end());
    evaluation.gold.push_back(gold);
    evaluation.rows.push_back(evaluation.gold.size());
  }
  evaluation.metrics = compute_metrics(evaluation.probabilities, evaluation.gold, kClasses);
  const std::string text = evaluation_report(evaluation, Labels(names));
  EXPECT_NE(text.find("2 pairs of classes are confused; the most frequent (--json has all):\n"
                      "gold     predicted  rows\n"
                      "class 3  class 5       2\n"
                      "class 0  class 39      1\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("gold \\ predicted"), std::string::npos);
}

TEST(Report, PredictionsFile) {
  const testing::TempDir dir;
  write_predictions(dir.path() / "predictions.tsv", sample(), Labels({"a\tb", "c\\d", "e"}));
  EXPECT_EQ(read_file(dir.path() / "predictions.tsv"),
            "row\tgold\tpredicted\tprobability\n"
            "1\ta\\tb\ta\\tb\t0.750000\n"
            "4\tc\\\\d\ta\\tb\t0.500000\n");
}

TEST(Report, RefusesTheWrongLabels) {
  try {
    evaluation_report(sample(), Labels({"one"}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "An evaluation over 3 classes cannot be reported with 1 label names.");
  }
}

}  // namespace
}  // namespace diffuse
