// Figures and thresholds of several labels a text, against scikit-learn's (make_label_fixture.py).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/eval/label_answers.hpp"
#include "diffuse/eval/report.hpp"
#include "support/fake_classifier.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"
#include "support/test_data.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;

std::vector<float> logits_of(const std::vector<float>& probabilities) {
  std::vector<float> logits;
  for (const float value : probabilities) {
    const auto p = static_cast<double>(value);
    logits.push_back(static_cast<float>(std::log(p / (1 - p))));
  }
  return logits;
}

struct Reference {
  Reference()
      : json(nlohmann::json::parse(read_file(testing::test_data() / "label_reference.json"))),
        gold{.classes = 5, .labels = {}, .several = true} {
    for (const auto& row : json.at("gold"))
      for (const auto& has : row) gold.has.push_back(has.get<std::uint8_t>());
    gold.labels.assign(gold.has.size() / 5, -1);
    gold.unknown.assign(gold.labels.size(), 0);
    for (const auto& row : json.at("probabilities"))
      for (const auto& value : row) probabilities.push_back(value.get<float>());
    logits = logits_of(probabilities);
    for (const auto& value : json.at("thresholds")) thresholds.push_back(value.get<float>());
  }
  double at(const char* key) const { return json.at(key).get<double>(); }

  nlohmann::json json;
  Gold gold;
  std::vector<float> probabilities;
  std::vector<float> logits;
  std::vector<float> thresholds;
};

TEST(LabelThresholds, AreThoseOfTheBestF1DrawnToTheSharedOne) {
  const Reference reference;
  const std::vector<float> found = choose_thresholds(reference.probabilities, reference.gold);
  ASSERT_EQ(found.size(), 5U);
  for (std::size_t c = 0; c < 5; ++c) EXPECT_NEAR(found[c], reference.thresholds[c], 1e-6) << c;
}

TEST(LabelThresholds, OfManyRowsAreTheLabelsOwn) {
  Gold gold{.classes = 2, .labels = {}, .several = true};
  std::vector<float> probabilities;
  for (int row = 0; row < 4000; ++row) {
    const std::uint8_t has = row % 2 == 0 ? 1 : 0;
    gold.labels.push_back(-1);
    gold.unknown.push_back(0);
    gold.has.insert(gold.has.end(), {has, has});
    probabilities.insert(probabilities.end(), {has != 0 ? 0.3F : 0.1F, has != 0 ? 0.9F : 0.7F});
  }
  const std::vector<float> found = choose_thresholds(probabilities, gold);
  EXPECT_NEAR(found[0], 0.2, 0.01);
  EXPECT_NEAR(found[1], 0.8, 0.01);
}

TEST(LabelThresholds, WithoutAnyLabelAreOneHalf) {
  const Gold gold{.classes = 2, .labels = {-1}, .several = true, .has = {0, 0}, .unknown = {0}};
  EXPECT_THAT(choose_thresholds(std::vector<float>{0.1F, 0.9F}, gold), ElementsAre(0.5F, 0.5F));
}

TEST(LabelMetrics, AreThoseOfScikitLearn) {
  const Reference reference;
  const Metrics metrics = compute_label_metrics(reference.logits, reference.probabilities,
                                                reference.gold, reference.thresholds);
  ASSERT_TRUE(metrics.labels);
  EXPECT_EQ(metrics.count, 40);
  EXPECT_NEAR(metrics.accuracy, reference.at("accuracy"), 1e-9);
  EXPECT_NEAR(metrics.labels->micro_f1.value(), reference.at("micro_f1"), 1e-9);
  EXPECT_NEAR(metrics.labels->micro_precision.value(), reference.at("micro_precision"), 1e-9);
  EXPECT_NEAR(metrics.labels->micro_recall.value(), reference.at("micro_recall"), 1e-9);
  EXPECT_NEAR(metrics.macro_f1.value(), reference.at("macro_f1"), 1e-9);
  EXPECT_NEAR(metrics.labels->hamming_loss, reference.at("hamming_loss"), 1e-9);
  EXPECT_NEAR(metrics.labels->ranking_precision, reference.at("lrap"), 1e-6);
  EXPECT_NEAR(metrics.mean_loss, reference.at("loss"), 1e-5);
  for (std::size_t c = 0; c < 5; ++c) {
    const nlohmann::json& wanted = reference.json.at("f1")[c];
    ASSERT_EQ(metrics.classes[c].f1.has_value(), !wanted.is_null());
    if (!wanted.is_null()) {
      EXPECT_NEAR(*metrics.classes[c].f1, wanted.get<double>(), 1e-9);
    }
  }
  double decisions = 0;
  for (const CalibrationBin& bin : metrics.calibration) decisions += static_cast<double>(bin.count);
  EXPECT_EQ(decisions, 200) << "each label of each row is one";
  EXPECT_FALSE(metrics.majority);
  EXPECT_TRUE(metrics.confusion.empty());
}

TEST(LabelMetrics, ALabelThatTheModelLacksIsMissed) {
  const Gold gold{
      .classes = 2, .labels = {0, 1}, .several = true, .has = {1, 0, 0, 1}, .unknown = {2, 0}};
  const std::vector<float> probabilities = {0.9F, 0.1F, 0.2F, 0.8F};
  const Metrics metrics = compute_label_metrics(logits_of(probabilities), probabilities, gold,
                                                std::vector<float>{0.5F, 0.5F});
  EXPECT_EQ(metrics.accuracy, 0.5);
  EXPECT_EQ(metrics.unknown_class, 1);
  EXPECT_EQ(metrics.labels->unknown_labels, 2);
  EXPECT_EQ(metrics.labels->micro_recall, 0.5);
  EXPECT_EQ(metrics.labels->micro_precision, 1);
  EXPECT_EQ(metrics.labels->hamming_loss, 0) << "of the labels that it has";
}

/// Of one text that has the second of two labels.
double loss_of_logits(const std::vector<float>& logits) {
  const Gold gold{.classes = 2, .labels = {1}, .several = true, .has = {0, 1}, .unknown = {0}};
  return compute_label_metrics(logits, label_probabilities(logits), gold,
                               std::vector<float>{0.5F, 0.5F})
      .mean_loss;
}

TEST(LabelMetrics, LossOfALabelThatIsSureAndWrongIsItsLogit) {
  for (const float logit : {17.0F, 18.0F, 30.0F, 100.0F}) {
    const auto own = static_cast<double>(logit);
    EXPECT_NEAR(loss_of_logits({logit, 200}), own, 1e-6) << "has it not";
    EXPECT_NEAR(loss_of_logits({-200, -logit}), own, 1e-6) << "has it";
    EXPECT_NEAR(loss_of_logits({-logit, logit}), 2 * std::exp(-own), 1e-13) << "right";
  }
  EXPECT_NEAR(loss_of_logits({0, 0}), 2 * std::log(2.0), 1e-12);
}

TEST(LabelMetrics, LossOfALogitThatOverflowedIsFinite) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(loss_of_logits({-kInfinite, kInfinite}), 0);
  EXPECT_TRUE(std::isfinite(loss_of_logits({kInfinite, -kInfinite})));
}

TEST(LabelMetrics, RefuseWhatDoesNotFit) {
  const Gold gold{.classes = 2, .labels = {0}, .several = true, .has = {1, 0}, .unknown = {0}};
  const std::vector<float> half = {0.5F, 0.5F};
  const std::vector<float> one = {0.5F};
  EXPECT_THAT(message_of<Error>([&] { compute_label_metrics(half, one, gold, half); }),
              HasSubstr("got 2 logits, 1 probabilities and 2 thresholds for 1 rows of 2 labels"));
  EXPECT_THAT(message_of<Error>([&] { compute_label_metrics(one, half, gold, half); }),
              HasSubstr("got 1 logits, 2 probabilities"));
  const std::vector<float> no_number = {0.5F, std::nanf("")};
  EXPECT_THAT(message_of<Error>([&] { compute_label_metrics(no_number, no_number, gold, half); }),
              HasSubstr("The model gives row 1 a probability that is not a finite number"));
  EXPECT_THAT(message_of<Error>([&] {
                compute_label_metrics({}, {}, {.classes = 0, .labels = {}, .several = true}, {});
              }),
              HasSubstr("there is nothing to evaluate"));
}

/// Two rows of the labels "a" and "b": both, and none; the model says a of both.
Evaluation evaluated(std::vector<float> thresholds) {
  EncodedDataset data;
  const std::vector<ClassShare> both = {{0, 1}, {1, 1}};
  RowTarget target(0);
  target.several = true;
  target.shares = both;
  data.append(std::vector<std::int32_t>{0}, target, 1);
  target.shares = {};
  target.label = -1;
  data.append(std::vector<std::int32_t>{1}, target, 2);
  testing::FakeClassifier classifier(2, 2);
  {
    const at::NoGradGuard no_grad;
    at::Tensor bias = classifier.parameters()[1].tensor;
    bias[0].fill_(2);
    bias[1].fill_(-2);
  }
  return evaluate(classifier, view_all(data),
                  {.class_count = 2, .label_separator = "|", .thresholds = std::move(thresholds)});
}

TEST(LabelEvaluation, AnswersEachLabelFromItsThreshold) {
  const Evaluation result = evaluated({0.5F, 0.5F});
  ASSERT_TRUE(result.several);
  EXPECT_NEAR(result.probabilities[0], 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_NEAR(result.probabilities[1], 1 / (1 + std::exp(2.0)), 1e-6);
  // Of each row one label is wrong.
  EXPECT_NEAR(result.metrics.mean_loss, std::log1p(std::exp(2.0)) + std::log1p(std::exp(-2.0)),
              1e-6);
  EXPECT_THAT(result.several->answers, ElementsAre(1, 0, 1, 0));
  EXPECT_EQ(result.metrics.accuracy, 0);
  EXPECT_THAT(evaluated({0.9F, 0.9F}).several->answers, ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(evaluated({0.9F, 0.9F}).metrics.accuracy, 0.5) << "none is right for one of them";
}

const Labels kLabels({"a", "b"});

TEST(LabelEvaluation, ReportHasATableOfTheLabels) {
  const std::string report = evaluation_report(evaluated({0.5F, 0.25F}), kLabels);
  EXPECT_THAT(report, HasSubstr("accuracy  0.00 %  [0.0, 65.8]  n = 2  (all of a text's labels "
                                "right)\n"
                                "micro-F1  0.5000  (precision 0.5000, recall 0.5000)\n"
                                "wrong     50.00 % of 4 decisions on labels  (Hamming loss)\n"
                                "LRAP      1.0000  (label ranking average precision)\n"
                                "labels    1.00 a text, 1.00 answered\n"
                                "macro-F1  0.3333\n"));
  EXPECT_THAT(report,
              HasSubstr("\nlabel  precision  recall      F1  support  answered  threshold\n"
                        "a         0.5000  1.0000  0.6667        1         2     0.5000\n"
                        "b            n/a  0.0000  0.0000        1         0     0.2500\n"));
  EXPECT_THAT(report, Not(HasSubstr("gold \\ predicted")));
  EXPECT_THAT(report, Not(HasSubstr("surest answers")));
}

TEST(LabelEvaluation, JsonHoldsTheSameFigures) {
  const auto json = nlohmann::json::parse(evaluation_json(evaluated({0.5F, 0.25F}), kLabels));
  EXPECT_EQ(json.at("accuracy"), 0);
  EXPECT_EQ(json.at("labels").at("micro_f1"), 0.5);
  EXPECT_EQ(json.at("labels").at("hamming_loss"), 0.5);
  EXPECT_EQ(json.at("labels").at("lrap"), 1);
  EXPECT_EQ(json.at("labels").at("gold_labels"), 2);
  EXPECT_EQ(json.at("labels").at("answered_labels"), 2);
  EXPECT_EQ(json.at("classes")[1].at("threshold"), 0.25);
  EXPECT_EQ(json.at("confusion").size(), 0U);
  EXPECT_EQ(json.at("coverage").size(), 0U);
  EXPECT_TRUE(json.at("majority").is_null());
}

TEST(LabelEvaluation, PredictionsHoldAllLabelsOfARow) {
  const testing::TempDir dir;
  Evaluation result = evaluated({0.5F, 0.1F});
  result.several->gold.unknown[1] = 1;
  write_predictions(dir.path() / "p.tsv", result, kLabels);
  EXPECT_EQ(read_file(dir.path() / "p.tsv"),
            "row\tgold\tpredicted\tprobability\n1\ta|b\ta|b\t0.880797|0.119203\n"
            "2\t#unknown\ta|b\t0.880797|0.119203\n");
}

}  // namespace
}  // namespace diffuse
