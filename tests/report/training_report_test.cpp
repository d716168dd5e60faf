#include "diffuse/report/training_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNoLoss = std::numeric_limits<double>::quiet_NaN();

RunHistory history() {
  RunHistory run;
  run.starts = {{"2026-11-25T04:00:00Z", 0, 200, 100, "cpu", "fp32", 2, 1'234'567}};
  for (int update = 50; update <= 200; update += 50)
    run.train.push_back({update, update / 100.0, 1.0 / update, 1e-3, 2, 1000});
  run.epochs.push_back(
      {100, 1, 0.5, 0.8, 0.75, 0.6, 0.7, 0.05, {}, true, {1, 2, 3, {}, 4, 5}, {300'000'000}});
  run.epochs.push_back(
      {200, 2, 0.4, 0.9, 0.74, 0.7, 0.7, 0.05, {}, false, {1, 2, 3, {}, 4, 5}, {310'000'000}});
  run.done = HistoryDone{200, 61, 100, 0.75};
  return run;
}

EvaluatedSet evaluated(std::vector<std::string> labels) {
  const auto classes = static_cast<std::int64_t>(labels.size());
  std::vector<float> probabilities;
  const std::vector<std::int32_t> gold = {0, 1, 1, 0};
  for (const std::size_t predicted : {0U, 1U, 0U, 0U}) {
    std::vector<float> row(labels.size(), 0.1F / static_cast<float>(classes - 1));
    row[predicted] = 0.9F;
    probabilities.insert(probabilities.end(), row.begin(), row.end());
  }
  EvaluatedSet set{"test", compute_metrics(probabilities, gold, classes), std::move(labels)};
  for (const ConfidentError& error : most_confident_errors(probabilities, gold, classes, 10))
    set.errors.push_back(
        {error.index + 1, error.gold, error.predicted, error.probability, "words"});
  return set;
}

std::string page(const EvaluatedSet& set) {
  return training_report_html({"run", history(), set, {}});
}

TEST(ConfidentErrors, HighestProbabilityFirstThenTheEarlierRow) {
  const std::vector<float> probabilities = {0.6F, 0.4F, 0.1F, 0.9F, 0.8F,
                                            0.2F, 0.9F, 0.1F, 0.8F, 0.2F};
  const std::vector<std::int32_t> gold = {1, 1, 1, 1, 1};
  const auto errors = most_confident_errors(probabilities, gold, 2, 3);
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].index, 3U);
  EXPECT_EQ(errors[0].gold, 1);
  EXPECT_EQ(errors[0].predicted, 0);
  EXPECT_FLOAT_EQ(static_cast<float>(errors[0].probability), 0.9F);
  EXPECT_EQ(errors[1].index, 2U);
  EXPECT_EQ(errors[2].index, 4U);
  EXPECT_EQ(most_confident_errors(probabilities, gold, 2, 100).size(), 4U);
  EXPECT_TRUE(most_confident_errors(probabilities, gold, 2, 0).empty());
  EXPECT_TRUE(most_confident_errors({}, {}, 2, 5).empty());
}

TEST(ConfidentErrors, ATieGoesToTheLowerClass) {
  const auto errors =
      most_confident_errors(std::vector<float>{0.5F, 0.5F}, std::vector<std::int32_t>{1}, 2, 1);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].predicted, 0);
}

TEST(ConfidentErrors, RefusesOtherSizes) {
  try {
    most_confident_errors(std::vector<float>{1, 0, 0}, std::vector<std::int32_t>{0}, 2, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "3 probabilities were given for 1 rows of 2 classes.");
  }
}

TEST(TrainingReportPage, TimeIsOfTheEpochsPasses) {
  RunHistory fused = history();
  for (HistoryEpoch& epoch : fused.epochs)
    epoch.time = {.data_s = 1, .forward_backward_s = 5, .optimizer_s = 4};
  const std::string two = page(evaluated({"no", "yes"}));
  const std::string one = training_report_html({"run", fused, evaluated({"no", "yes"}), {}});
  EXPECT_THAT(two, HasSubstr("\nbackward: 3 ("));
  EXPECT_THAT(two, Not(HasSubstr("forward and backward")));
  EXPECT_THAT(one, HasSubstr("\nforward and backward: 5 ("));
  EXPECT_THAT(one, Not(HasSubstr("\nbackward: ")));
}

/// One error with the words of its text marked.
EvaluatedSet with_marks(const std::string& text, std::vector<TextMark> marks) {
  EvaluatedSet set = evaluated({"no", "yes"});
  set.errors.front().text = text;
  set.errors.front().marks = std::move(marks);
  return set;
}

TEST(TrainingReportPage, MarksWhatSpokeForAnErrorAndAgainstIt) {
  const std::string html =
      page(with_marks("<b> good, but so", {{0, 3, 2}, {4, 8, -1.5}, {8, 9, 0.1}, {10, 13, 4}}));
  EXPECT_THAT(
      html,
      HasSubstr("<mark class=\"for\" style=\"--a:0.50\" title=\"+2.000\">&lt;b&gt;</mark> <mark "
                "class=\"against\" style=\"--a:0.38\" title=\"-1.500\">good</mark>, <mark "
                "class=\"for\" style=\"--a:1.00\" title=\"+4.000\">but</mark> so</td>"))
      << "faint ones are not marked";
  EXPECT_THAT(html, HasSubstr("Marked is what spoke <mark class=\"for\" style=\"--a:1\">for</mark> "
                              "the predicted class (line below)"));
  EXPECT_THAT(page(evaluated({"no", "yes"})), Not(HasSubstr("Marked is what spoke")));
}

TEST(TrainingReportPage, CutsALongMarkedText) {
  const std::string html =
      page(with_marks("aa " + std::string(600, 'x') + " zz", {{0, 2, 1}, {604, 606, 1}}));
  EXPECT_THAT(html, HasSubstr(">aa</mark> " + std::string(496, 'x') + "…</td>"));
  EXPECT_THAT(html, Not(HasSubstr("zz")));
}

TEST(TrainingReportPage, RefusesMarksOutsideOfTheText) {
  for (const TextMark& mark : {TextMark{3, 9, 1}, TextMark{5, 4, 1}}) {
    try {
      page(with_marks("good", {{0, 4, 1}, mark}));
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "The marks of row 3 are not parts of its text.");
    }
  }
}

TEST(TrainingReportPage, HoldsTheKeyFigures) {
  const std::string html = page(evaluated({"no", "yes"}));
  EXPECT_EQ(html.find("<!DOCTYPE html>\n<html lang=\"en\">"), 0U);
  EXPECT_THAT(html, HasSubstr("<title>run</title>"));
  EXPECT_THAT(html, HasSubstr("finished after 200 updates · started 2026-11-25 04:00:00 UTC"));
  EXPECT_THAT(html, HasSubstr("<dt>test accuracy</dt><dd class=\"value\">75.00 %</dd><dd>95 % "
                              "interval 30.1 to 95.4, n = 4</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>validation accuracy</dt><dd class=\"value\">75.00 %</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>best update</dt><dd class=\"value\">100</dd><dd>of 200, epoch "
                              "1</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>training time</dt><dd class=\"value\">1m 01s</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>peak memory</dt><dd class=\"value\">310.0 MB</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>device</dt><dd class=\"value\">cpu</dd><dd>2 threads</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>precision</dt><dd class=\"value\">fp32</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>parameters</dt><dd class=\"value\">1,234,567</dd>"));
  for (const char* title : {"Loss", "Accuracy", "Learning rate", "Gradient norm", "Speed",
                            "Time by epoch", "Peak memory by epoch", "Calibration"})
    EXPECT_THAT(html, HasSubstr(std::string("aria-label=\"") + title + "\""));
  EXPECT_THAT(html, Not(HasSubstr("aria-label=\"Loss scale\"")));
}

TEST(TrainingReportPage, FiguresStandBesideTheirBaseline) {
  TrainingReport report{"run", history(), evaluated({"no", "yes"}), {}};
  Metrics& metrics = report.evaluated->metrics;
  EXPECT_THAT(training_report_html(report), Not(HasSubstr("most frequent class")));
  metrics.majority = majority_of(metrics, std::vector<std::int64_t>{9, 1});
  report.choosing_rows = 1234;
  const std::string html = training_report_html(report);
  EXPECT_THAT(html,
              HasSubstr("<dt>most frequent class</dt><dd class=\"value\">50.00 %</dd><dd>right "
                        "by always answering no</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>macro-F1</dt><dd class=\"value\">0.7333</dd>"));
  EXPECT_THAT(html, HasSubstr("of 200, epoch 1, chosen by 1,234 validation rows"));
  EXPECT_THAT(html, HasSubstr(" · always “no” 50.00 % · macro-F1 0.7333"));
  EXPECT_THAT(html, Not(HasSubstr("right on no more rows")));
  metrics.accuracy = 0.5;
  EXPECT_THAT(training_report_html(report), HasSubstr("right on no more rows than always"));
}

TEST(TrainingReportPage, SaysWhatOfTheDataWasNotRead) {
  TrainingReport report{"run", history(), {}, {}};
  EXPECT_THAT(training_report_html(report), Not(HasSubstr("<h2>Data</h2>")));
  report.parts = {{.name = "data.train",
                   .rows = 1000,
                   .tokens = 6000,
                   .unknown_tokens = 600,
                   .max_tokens = 8,
                   .file_rows = 1000,
                   .file_tokens = 6000,
                   .cut = {20, 400, 2000}},
                  {.name = "data.validation"}};
  report.notes = {{"a <warning>", true}, {"a remark", false}};
  const std::string html = training_report_html(report);
  EXPECT_THAT(html, HasSubstr("<p class=\"alarm\">a &lt;warning&gt;</p>"));
  EXPECT_THAT(html, HasSubstr("<p class=\"note\">a remark</p>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\">data.train</th><td class=\"number\">1,000</td><td "
                              "class=\"number\">6,000</td><td class=\"number\">10.0 %</td><td "
                              "class=\"number\">20</td><td class=\"number\">25.0 %</td>"));
  EXPECT_THAT(html, Not(HasSubstr(">data.validation<")));  // it has no rows
}

TEST(TrainingReportPage, FetchesNothingAndRunsNothing) {
  const std::string html = page(evaluated({"no", "yes"}));
  for (const char* part : {"<script", "src=", "href=", "url(", "@import", "onload"})
    EXPECT_THAT(html, Not(HasSubstr(part)));
}

TEST(TrainingReportPage, IsTheSameForTheSameRun) {
  EXPECT_EQ(page(evaluated({"no", "yes"})), page(evaluated({"no", "yes"})));
}

TEST(TrainingReportPage, WhatIsNotOursIsEscaped) {
  const std::string script = "<script>alert('x')</script>";
  TrainingReport report{
      script, history(), evaluated({script, "\"><b onload=\"x"}), {{script, script}}};
  report.evaluated->name = script;
  report.evaluated->errors[0].text = script + "\x01\xFF\xE2\x80\xAE";
  report.history.starts[0].device = script;
  report.history.starts[0].time = script;
  report.history.starts[0].precision = script;
  const std::string html = training_report_html(report);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<b onload")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("&quot;&gt;&lt;b onload=&quot;x"));
  // Neither control characters nor ill-formed UTF-8 nor a turn of the writing direction.
  EXPECT_THAT(html, HasSubstr("\\x01\\xff\\u{202e}"));
  EXPECT_FALSE(invalid_utf8_at(html).has_value());
}

TEST(TrainingReportPage, AnExcerptIsCutBetweenCharacters) {
  EvaluatedSet set = evaluated({"no", "yes"});
  std::string text;
  for (int i = 0; i < 300; ++i) text += "é";
  set.errors[0].text = "a\nb\t" + text;
  const std::string html = page(set);
  std::string kept = "a b ";
  for (int i = 0; i < 195; ++i) kept += "é";
  EXPECT_THAT(html, HasSubstr(">" + kept + "…<"));
  EXPECT_FALSE(invalid_utf8_at(html).has_value());
}

TEST(TrainingReportPage, ConfusionMatrix) {
  const std::string html = page(evaluated({"no", "yes"}));
  EXPECT_THAT(html, HasSubstr("Confusion matrix"));
  EXPECT_THAT(html,
              HasSubstr("title=\"gold yes, predicted no: 1 rows, 50.0 % of the gold class\">1<"));
  EXPECT_THAT(html, HasSubstr("<td class=\"none\">0</td>"));
}

TEST(TrainingReportPage, TellsWhatIsRightOfTheSurestAnswers) {
  EvaluatedSet set = evaluated({"no", "yes"});
  EXPECT_THAT(page(set), Not(HasSubstr("surest answers")));  // of several labels
  set.coverage = {{0.9, 0.5, 0.99}, {0.7, 0.8, 0.95}, {0.4, 1, 0.9}};
  const std::string html = page(set);
  EXPECT_THAT(html, HasSubstr("Where only the surest answers are given"));
  EXPECT_THAT(html,
              HasSubstr("<td class=\"number\">80.0 %</td><td class=\"number\">95.00 %</td><td "
                        "class=\"number\">0.7000</td>"));
}

TEST(TrainingReportPage, ManyClassesGetAListOfConfusions) {
  std::vector<std::string> labels;
  for (int i = 0; i < 31; ++i) labels.push_back("class " + std::to_string(i));
  const std::string html = page(evaluated(labels));
  EXPECT_THAT(html, Not(HasSubstr("Confusion matrix")));
  EXPECT_THAT(html, HasSubstr("1 of 930 pairs of classes are confused."));
  EXPECT_THAT(html, HasSubstr("<bdi>class 1</bdi></td><td><bdi>class 0</bdi></td><td "
                              "class=\"number\">1</td>"));
  labels.pop_back();
  EXPECT_THAT(page(evaluated(labels)), HasSubstr("Confusion matrix"));
}

TEST(TrainingReportPage, ManyClassesWithoutAConfusion) {
  std::vector<std::string> labels(31, "a class");
  std::vector<float> probabilities(31, 0.0F);
  probabilities[0] = 1;
  const EvaluatedSet set{"test", compute_metrics(probabilities, std::vector<std::int32_t>{0}, 31),
                         labels};
  EXPECT_THAT(page(set), HasSubstr("No two classes are confused."));
}

TEST(TrainingReportPage, UndefinedFiguresAreNotZero) {
  const std::string html = page(evaluated({"no", "yes", "never"}));
  EXPECT_THAT(html, HasSubstr("<bdi>never</bdi></th><td class=\"number\">n/a</td><td "
                              "class=\"number\">n/a</td><td class=\"number\">n/a</td>"));
}

TEST(TrainingReportPage, WithoutValidationOrEvaluatedSet) {
  TrainingReport report{"run", history(), {}, {}};
  for (HistoryEpoch& epoch : report.history.epochs) {
    epoch.validation_accuracy.reset();
    epoch.validation_loss.reset();
    epoch.best = false;
  }
  const std::string html = training_report_html(report);
  EXPECT_THAT(html, HasSubstr("<dt>training accuracy</dt><dd class=\"value\">90.00 %</dd>"));
  EXPECT_THAT(html, Not(HasSubstr("validation")));
  EXPECT_THAT(html, Not(HasSubstr("<dt>best update")));
  EXPECT_THAT(html, Not(HasSubstr("Evaluation:")));
}

TEST(TrainingReportPage, AnEvaluatedValidationSetIsNotShownTwice) {
  EvaluatedSet set = evaluated({"no", "yes"});
  set.name = "validation";
  const std::string html = page(set);
  EXPECT_EQ(html.find("<dt>validation accuracy"), html.rfind("<dt>validation accuracy"));
}

TEST(TrainingReportPage, AnEmptyHistory) {
  const std::string html = training_report_html({"", {}, {}, {}});
  EXPECT_THAT(html, HasSubstr("<title>run</title>"));
  EXPECT_THAT(html, HasSubstr("not finished: 0 updates so far"));
  EXPECT_THAT(html, Not(HasSubstr("<svg")));
  EXPECT_THAT(html, Not(HasSubstr("<dl")));
}

TEST(TrainingReportPage, HowTheRunEnded) {
  TrainingReport report{"run", history(), {}, {}};
  report.history.done->stopped_early = true;
  EXPECT_THAT(training_report_html(report), HasSubstr("stopped early after 200 updates"));
  report.history.done->stopped_by_signal = 15;
  EXPECT_THAT(training_report_html(report), HasSubstr("stopped by signal 15 after 200 updates"));
  report.history.done.reset();
  report.history.starts.push_back(report.history.starts[0]);
  report.history.replaced_lines = 3;
  report.history.cut_off_lines = 1;
  const std::string html = training_report_html(report);
  EXPECT_THAT(html, HasSubstr("not finished: 200 updates so far"));
  EXPECT_THAT(html, HasSubstr("resumed once"));
  EXPECT_THAT(html, HasSubstr("<dd class=\"value\">30.0s</dd><dd>with evaluation</dd>"));
  EXPECT_THAT(html, HasSubstr("3 lines of <code>metrics.jsonl</code> are of updates"));
  EXPECT_THAT(html, HasSubstr("1 cut-off line of <code>metrics.jsonl</code> is left out"));
}

TEST(TrainingReportPage, ADivergence) {
  TrainingReport report{"run", history(), {}, {}};
  report.history.divergence = HistoryDivergence{201, kNoLoss, 0.001, 3.5, 1024.0, {7, 9}};
  const std::string html = training_report_html(report);
  EXPECT_THAT(html, HasSubstr("diverged at update 201"));
  EXPECT_THAT(html, HasSubstr("Loss not finite, learning rate 0.001, gradient norm 3.5, loss scale "
                              "1024. Rows of the batch in the training file: 7, 9."));
}

TEST(TrainingReportPage, MixedPrecisionHasItsOwnFigures) {
  TrainingReport report{"run", history(), {}, {}};
  report.history.train.back().loss_scale = 65536;
  report.history.train.front().skipped_updates = 3;  // each line counts its own
  report.history.train.back().skipped_updates = 1;
  report.history.epochs[0].memory.device_reserved = 2'000'000'000;
  const std::string html = training_report_html(report);
  EXPECT_THAT(html, HasSubstr("aria-label=\"Loss scale\""));
  EXPECT_THAT(html, HasSubstr("<dt>skipped updates</dt><dd class=\"value\">4</dd>"));
  EXPECT_THAT(html, HasSubstr("<dt>peak device memory</dt><dd class=\"value\">2.0 GB</dd>"));
}

TEST(TrainingReportPage, ConfigurationIsFolded) {
  const std::string html =
      training_report_html({"run", history(), {}, {{"model.dim", "128"}, {"seed", "1"}}});
  EXPECT_THAT(html, HasSubstr("<summary>Configuration (2 parameters)</summary>"));
  EXPECT_THAT(html, HasSubstr("<code>model.dim</code></th><td><code>128</code>"));
}

TEST(TrainingReportPage, RefusesAnEvaluationOfOtherSizes) {
  const auto message = [](const EvaluatedSet& set) -> std::string {
    try {
      page(set);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EvaluatedSet set = evaluated({"no", "yes"});
  set.labels.pop_back();
  EXPECT_EQ(message(set), "An evaluation over 2 classes cannot be reported with 1 label names.");
  set = evaluated({"no", "yes"});
  set.errors[0].predicted = 2;
  EXPECT_EQ(message(set), "The error of row 3 names class 1 or 2, but there are 2 classes.");
}

}  // namespace
}  // namespace diffuse
