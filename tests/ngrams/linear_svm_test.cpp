#include "diffuse/ngrams/linear_svm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <numeric>

#include "diffuse/base/error.hpp"
#include "diffuse/base/random.hpp"
#include "diffuse/base/signals.hpp"
#include "ngrams/dual_solver.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFeatures = 40;

/// Rows with a few random n-grams of unit length, whose class shows in them mostly.
struct Texts {
  Texts(std::size_t n, std::int64_t classes) {
    Random random(7);
    NgramTexts texts;
    texts.offsets = {0};
    for (std::size_t i = 0; i < n; ++i) {
      const auto label =
          static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(classes)));
      std::vector<NgramValue> row;
      for (int k = 0; k < 5; ++k)
        row.push_back({static_cast<std::int32_t>(random.below(kFeatures)), 1});
      for (int k = 0; k < 2; ++k)
        row.push_back({label * 4 + static_cast<std::int32_t>(random.below(6)), 1});
      sort_ngrams(row, 0);
      float squares = 0;
      for (const NgramValue& ngram : row) squares += ngram.value * ngram.value;
      for (NgramValue& ngram : row) ngram.value /= std::sqrt(squares);
      texts.values.insert(texts.values.end(), row.begin(), row.end());
      texts.offsets.push_back(std::ssize(texts.values));
      labels.push_back(label);
    }
    rows.append(texts);
    which.resize(n);
    std::iota(which.begin(), which.end(), 0U);
  }

  LinearProblem problem(std::int64_t classes, double cost = 1) const {
    return {.rows = rows,
            .which = which,
            .labels = labels,
            .classes = classes,
            .features = kFeatures,
            .cost = cost};
  }

  NgramRows rows;
  std::vector<std::uint32_t> which;
  std::vector<std::int32_t> labels;
};

/// Of each of n rows, one of four folds.
std::vector<std::int64_t> dealt(std::size_t n) {
  std::vector<std::int64_t> fold_of(n);
  for (std::size_t i = 0; i < n; ++i) fold_of[i] = static_cast<std::int64_t>(i % 4);
  return fold_of;
}

/// The objective of class c's machine at `weights`, by its definition, and its gradient.
double objective(const Texts& texts, const std::vector<double>& weights, std::int32_t c,
                 double cost, const std::vector<float>& importance, std::vector<double>& gradient) {
  double value = 0;
  gradient = weights;
  for (const double w : weights) value += 0.5 * w * w;
  for (std::size_t i = 0; i < texts.labels.size(); ++i) {
    const double y = texts.labels[i] == c ? 1 : -1;
    double margin = weights.back();
    for (const NgramValue& ngram : texts.rows.row(i))
      margin += static_cast<double>(ngram.value) * weights[static_cast<std::size_t>(ngram.id)];
    const double slack = std::max(0.0, 1 - y * margin);
    const double own = cost * (importance.empty() ? 1.0 : static_cast<double>(importance[i]));
    value += own * slack * slack;
    for (const NgramValue& ngram : texts.rows.row(i))
      gradient[static_cast<std::size_t>(ngram.id)] -=
          2 * own * slack * y * static_cast<double>(ngram.value);
    gradient.back() -= 2 * own * slack * y;
  }
  return value;
}

/// The smallest value, by gradient descent with momentum.
double minimum(const Texts& texts, std::int32_t c, double cost,
               const std::vector<float>& importance = {}) {
  std::vector<double> weights(kFeatures + 1);
  std::vector<double> before = weights;
  std::vector<double> gradient;
  const double rate = 1 / (1 + 6 * cost * static_cast<double>(texts.labels.size()));
  double least = objective(texts, weights, c, cost, importance, gradient);
  for (int step = 0; step < 1500; ++step) {
    std::vector<double> ahead = weights;
    const double momentum = step / (step + 3.0);
    for (std::size_t v = 0; v < ahead.size(); ++v) ahead[v] += momentum * (weights[v] - before[v]);
    before = weights;
    least = std::min(least, objective(texts, ahead, c, cost, importance, gradient));
    for (std::size_t v = 0; v < ahead.size(); ++v) weights[v] = ahead[v] - rate * gradient[v];
  }
  return least;
}

/// The machine of class c: weights, then the bias.
std::vector<double> machine(const LinearWeights& all, std::int64_t c) {
  std::vector<double> weights;
  // Two classes share a machine of twice their logits.
  const double factor = all.classes == 2 ? 2 : 1;
  for (std::int64_t v = 0; v < kFeatures; ++v)
    weights.push_back(
        factor * static_cast<double>(all.weights[static_cast<std::size_t>(v * all.classes + c)]));
  weights.push_back(factor * static_cast<double>(all.bias[static_cast<std::size_t>(c)]));
  return weights;
}

TEST(LinearSvm, FindsTheMinimumOfEachMachine) {
  WorkerPool pool(2);
  std::vector<double> gradient;
  for (const std::int64_t classes : {2, 3, 5}) {
    const Texts texts(300, classes);
    for (const double cost : {0.1, 1.0, 10.0}) {
      const LinearWeights weights = LinearSvm(texts.problem(classes, cost), pool).weights();
      for (std::int32_t c = 0; c < classes; ++c) {
        const double found = objective(texts, machine(weights, c), c, cost, {}, gradient);
        EXPECT_LT(found, 1.005 * minimum(texts, c, cost)) << classes << " " << cost;
      }
    }
  }
}

TEST(LinearSvm, ImportanceIsAFactorOfTheCost) {
  WorkerPool pool(1);
  std::vector<double> gradient;
  const Texts texts(200, 3);
  std::vector<float> importance(200, 1);
  for (std::size_t i = 0; i < 200; i += 3) importance[i] = 3;
  importance[1] = 0;
  LinearProblem problem = texts.problem(3);
  problem.importance = importance;
  const LinearWeights weights = LinearSvm(problem, pool).weights();
  for (std::int32_t c = 0; c < 3; ++c) {
    const double found = objective(texts, machine(weights, c), c, 1, importance, gradient);
    EXPECT_LT(found, 1.005 * minimum(texts, c, 1, importance));
  }
}

TEST(LinearSvm, GivesTheSameBytesWithAnyNumberOfThreads) {
  for (const std::int64_t classes : {2, 3, 5}) {
    const Texts texts(300, classes);
    WorkerPool one(1);
    const LinearSvm alone(texts.problem(classes), one);
    for (const std::int64_t threads : {2, 3, 8}) {
      WorkerPool pool(threads);
      const LinearSvm together(texts.problem(classes), pool);
      EXPECT_EQ(together.weights().weights, alone.weights().weights);
      EXPECT_EQ(together.weights().bias, alone.weights().bias);
      const std::vector<std::int64_t> fold_of = dealt(texts.labels.size());
      EXPECT_EQ(together.out_of_fold(fold_of, 2).logits, alone.out_of_fold(fold_of, 2).logits);
    }
  }
}

TEST(LinearSvm, OutOfFoldLogitsAreThoseOfAMachineWithoutTheFold) {
  WorkerPool pool(2);
  for (const std::int64_t classes : {2, 4}) {
    const Texts texts(240, classes);
    const std::vector<std::int64_t> fold_of = dealt(texts.labels.size());
    const OutOfFold found = LinearSvm(texts.problem(classes), pool).out_of_fold(fold_of, 2);
    Texts others(240, classes);  // the same
    others.which.clear();
    others.labels.clear();
    std::vector<std::size_t> fold;
    for (std::size_t i = 0; i < texts.labels.size(); ++i) {
      if (fold_of[i] == 1) {
        fold.push_back(i);
      } else {
        others.which.push_back(static_cast<std::uint32_t>(i));
        others.labels.push_back(texts.labels[i]);
      }
    }
    ASSERT_GT(fold.size(), 50U);
    const LinearWeights trained = LinearSvm(others.problem(classes), pool).weights();
    std::vector<float> expected(static_cast<std::size_t>(classes));
    std::size_t checked = 0;
    for (std::size_t k = 0; k < found.places.size(); ++k) {
      if (std::find(fold.begin(), fold.end(), found.places[k]) == fold.end()) continue;
      ++checked;
      trained.logits(texts.rows.row(found.places[k]), expected.data());
      for (std::size_t c = 0; c < expected.size(); ++c)
        EXPECT_NEAR(found.logits[k * expected.size() + c], expected[c], 0.05);
    }
    EXPECT_EQ(checked, fold.size());
    EXPECT_NEAR(static_cast<double>(found.places.size()), 120, 4);
  }
}

TEST(LinearSvm, TwoClassesHaveOppositeLogits) {
  WorkerPool pool(1);
  const Texts texts(100, 2);
  const LinearWeights weights = LinearSvm(texts.problem(2), pool).weights();
  ASSERT_EQ(weights.features(), kFeatures);
  for (std::size_t v = 0; v < kFeatures; ++v)
    EXPECT_EQ(weights.weights[2 * v], -weights.weights[2 * v + 1]);
}

TEST(LinearSvm, IsLeftWhereASignalHasArrived) {
  WorkerPool pool(2);
  const Texts texts(300, 5);
  const LinearSvm whole(texts.problem(5), pool);
  catch_stop_signals();
  std::raise(SIGINT);
  EXPECT_THROW(LinearSvm(texts.problem(5), pool), Stopped);
  EXPECT_THROW(whole.out_of_fold(dealt(300), 2), Stopped);
  clear_stop_signal();
  EXPECT_EQ(LinearSvm(texts.problem(5), pool).weights().weights, whole.weights().weights);
}

TEST(DualSolver, LooksForASignalBetweenItsPasses) {
  const Texts texts(300, 3);
  const LinearProblem problem = texts.problem(3);
  DualSolver solver(problem, 3, 0, 3);
  catch_stop_signals();
  std::raise(SIGTERM);
  EXPECT_THROW(solver.solve(), Stopped);
  clear_stop_signal();
  EXPECT_NO_THROW(solver.solve());
}

TEST(LinearSvm, RefusesListsOfDifferentLengths) {
  WorkerPool pool(1);
  Texts texts(10, 2);
  texts.labels.pop_back();
  EXPECT_THROW(LinearSvm(texts.problem(2), pool), Error);
}

}  // namespace
}  // namespace diffuse
