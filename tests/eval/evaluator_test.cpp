#include "diffuse/eval/evaluator.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "diffuse/base/error.hpp"
#include "support/fake_classifier.hpp"

namespace diffuse {
namespace {

/// Rows of different lengths, so that evaluation's own order is not the file's. The token is the
/// label.
EncodedDataset sample_data() {
  EncodedDataset data;
  const std::vector<std::vector<std::int32_t>> rows = {{0}, {1, 1, 1}, {0, 0}, {1, 1, 1, 1}, {1}};
  for (std::size_t i = 0; i < rows.size(); ++i)
    data.append(rows[i], rows[i][0], static_cast<std::uint32_t>(i + 1));
  return data;
}

/// logits = 2 for the class of the token, 0 for the other.
testing::FakeClassifier right_classifier() {
  testing::FakeClassifier classifier(2, 2);
  const at::NoGradGuard no_grad;
  at::Tensor weight = classifier.parameters()[0].tensor;
  weight[0][0].fill_(2);
  weight[1][1].fill_(2);
  return classifier;
}

TEST(Evaluator, KeepsTheOrderOfTheView) {
  const EncodedDataset data = sample_data();
  testing::FakeClassifier classifier = right_classifier();
  const DatasetView view{&data, {4, 0, 3, 2}};
  std::vector<std::int64_t> progress;
  const Evaluation result = evaluate(classifier, view,
                                     {.batch_size = 3,
                                      .class_count = 2,
                                      .on_progress = [&](std::int64_t done, std::int64_t total) {
                                        EXPECT_EQ(total, 4);
                                        progress.push_back(done);
                                      }});
  EXPECT_EQ(result.gold, (std::vector<std::int32_t>{1, 0, 1, 0}));
  const float sure = 1 / (1 + std::exp(-2.0F));
  ASSERT_EQ(result.probabilities.size(), 8U);
  EXPECT_NEAR(result.probabilities[1], sure, 1e-6);
  EXPECT_NEAR(result.probabilities[2], sure, 1e-6);
  EXPECT_NEAR(result.probabilities[5], sure, 1e-6);
  EXPECT_NEAR(result.probabilities[6], sure, 1e-6);
  EXPECT_EQ(result.metrics.accuracy, 1);
  EXPECT_NEAR(result.metrics.mean_loss, -std::log(sure), 1e-6);
  EXPECT_EQ(progress, (std::vector<std::int64_t>{3, 4}));
  EXPECT_GT(result.tokens_per_s, result.examples_per_s);
}

TEST(Evaluator, ASmallBatchIsComputedByOneThread) {
  const EncodedDataset data = sample_data();
  testing::FakeClassifier classifier = right_classifier();
  classifier.small_up_to = 2;
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  std::vector<int> threads;
  classifier.on_forward = [&](const ForwardContext&) { threads.push_back(at::get_num_threads()); };
  evaluate(classifier, view_all(data), {.batch_size = 3, .class_count = 2});
  EXPECT_EQ(threads, (std::vector<int>{3, 1}));  // five rows
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
}

/// So slow that a batch takes three tokens.
class SlowClassifier final : public testing::FakeClassifier {
 public:
  using testing::FakeClassifier::FakeClassifier;
  std::int64_t work_per_token() const override { return 1'600'000'000; }
};

TEST(Evaluator, ASlowModelIsAskedForAStopAfterAFewTokens) {
  const EncodedDataset data = sample_data();
  SlowClassifier classifier(2, 2);
  EXPECT_EQ(evaluation_batch_tokens(classifier), 3);
  std::vector<std::int64_t> progress;
  evaluate(classifier, view_all(data),
           {.batch_size = 256, .class_count = 2, .on_progress = [&](std::int64_t done, auto) {
              progress.push_back(done);
            }});
  // Rows of 4, 3, 2 + 1 and 1 tokens: one that alone is longer is not cut.
  EXPECT_EQ(progress, (std::vector<std::int64_t>{1, 2, 4, 5}));
}

TEST(Evaluator, BatchSizeDoesNotMatter) {
  const EncodedDataset data = sample_data();
  testing::FakeClassifier classifier = right_classifier();
  const DatasetView view = view_all(data);
  const auto one = evaluate(classifier, view, {.batch_size = 1, .class_count = 2});
  const auto all = evaluate(classifier, view, {.batch_size = 100, .class_count = 2});
  ASSERT_EQ(one.probabilities.size(), all.probabilities.size());
  for (std::size_t i = 0; i < one.probabilities.size(); ++i)
    EXPECT_NEAR(one.probabilities[i], all.probabilities[i], 1e-6);
}

TEST(Evaluator, RunsInEvaluationModeWithoutGradients) {
  const EncodedDataset data = sample_data();
  testing::FakeClassifier classifier = right_classifier();
  int calls = 0;
  classifier.on_forward = [&](const ForwardContext& context) {
    ++calls;
    EXPECT_FALSE(context.training);
    EXPECT_FALSE(context.generator.defined());
    EXPECT_FALSE(at::GradMode::is_enabled());
  };
  evaluate(classifier, view_all(data), {.batch_size = 5, .class_count = 2});
  EXPECT_EQ(calls, 1);
}

TEST(Evaluator, GivesARandomModelAGenerator) {
  const EncodedDataset data = sample_data();
  testing::FakeClassifier classifier = right_classifier();
  classifier.random = true;
  classifier.on_forward = [](const ForwardContext& context) {
    ASSERT_TRUE(context.generator.defined());
    EXPECT_EQ(context.generator.current_seed(), 42U);
  };
  evaluate(classifier, view_all(data), {.batch_size = 5, .class_count = 2, .noise_seed = 42});
}

TEST(Evaluator, RefusesNothingAndTheWrongNumberOfClasses) {
  const EncodedDataset data = sample_data();
  testing::FakeClassifier classifier = right_classifier();
  const auto message = [&](const DatasetView& view, std::int64_t class_count) -> std::string {
    try {
      evaluate(classifier, view, {.class_count = class_count});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(DatasetView{&data, {}}, 2), "There are no rows to evaluate on.");
  EXPECT_EQ(message(view_all(data), 3),
            "The classifier's number of outputs is not the number of classes.");
}

}  // namespace
}  // namespace diffuse
