#include "diffuse/eval/ensemble.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "diffuse/base/error.hpp"
#include "support/message_of.hpp"

namespace diffuse {
namespace {

Evaluation member(std::vector<float> probabilities) {
  Evaluation evaluation;
  evaluation.probabilities = std::move(probabilities);
  evaluation.gold = {0, 1};
  evaluation.rows = {1, 2};
  evaluation.metrics = compute_metrics(evaluation.probabilities, evaluation.gold, 2);
  evaluation.time_s = 2;
  evaluation.tokens_per_s = 100;
  return evaluation;
}

TEST(Ensemble, AnswersByTheMeanOfTheProbabilities) {
  // The first is right on one row alone, the second on the other.
  const Evaluation mean = average_evaluations(
      {member({0.9F, 0.1F, 0.75F, 0.25F}), member({0.25F, 0.75F, 0, 1})}, 2, {3, 1});
  EXPECT_FLOAT_EQ(mean.probabilities[0], 0.575F);
  EXPECT_FLOAT_EQ(mean.probabilities[3], 0.625F);
  EXPECT_FLOAT_EQ(mean.logits[0], std::log(0.575F));
  EXPECT_EQ(mean.metrics.accuracy, 1);
  EXPECT_EQ(mean.metrics.majority->accuracy, 0.5);
  EXPECT_EQ(mean.time_s, 4);
  EXPECT_EQ(mean.examples_per_s, 0.5);
  EXPECT_EQ(mean.tokens_per_s, 50);
}

TEST(Ensemble, IsOfTheSameRows) {
  Evaluation other = member({1, 0, 0, 1});
  other.rows = {1, 3};
  EXPECT_EQ(testing::message_of<Error>([&] {
              average_evaluations({member({1, 0, 0, 1}), other}, 2, {});
            }),
            "The members of an ensemble were evaluated on other rows.");
  EXPECT_THROW(average_evaluations({}, 2, {}), Error);
}

}  // namespace
}  // namespace diffuse
