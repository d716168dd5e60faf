#include "diffuse/train/loss.hpp"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace diffuse {
namespace {

TEST(Loss, IsTheMeanOverTheExamples) {
  const at::Tensor logits = at::tensor({0.F, 0.F, std::log(3.F), 0.F}).reshape({2, 2});
  const at::Tensor labels = at::tensor({0, 1}, at::kLong);
  const double expected = (std::log(2.0) + std::log(4.0)) / 2;
  EXPECT_NEAR(classification_loss(logits, labels, 0).item<double>(), expected, 1e-6);
}

TEST(Loss, SmoothingSpreadsOverAllClasses) {
  // softmax = (3, 1) / 4; the target is (0.9, 0.1) for s = 0.2 and two classes.
  const at::Tensor logits = at::tensor({std::log(3.F), 0.F}).reshape({1, 2});
  const at::Tensor labels = at::tensor({0}, at::kLong);
  const double expected = -0.9 * std::log(0.75) - 0.1 * std::log(0.25);
  EXPECT_NEAR(classification_loss(logits, labels, 0.2).item<double>(), expected, 1e-6);
}

TEST(Loss, IsComputedInFloat32) {
  const at::Tensor logits = at::tensor({1.F, 0.F}).reshape({1, 2}).to(at::kBFloat16);
  EXPECT_EQ(classification_loss(logits, at::tensor({0}, at::kLong), 0).scalar_type(), at::kFloat);
}

/// Two texts of two tokens each, of two classes.
Batch two_texts() {
  return make_batch(PackedRows(std::vector<std::int32_t>{1, 2, 3, 4},
                               std::vector<std::int32_t>{0, 2, 4}, std::vector<std::int64_t>{0, 1}),
                    at::kCPU);
}

// softmax = (1, 1) / 2 and (3, 1) / 4: -log of the labels' are log 2 and log 4.
const at::Tensor kLogits = at::tensor({0.F, 0.F, std::log(3.F), 0.F}).reshape({2, 2});

TEST(BatchLoss, IsTheMeanWhereNothingHasAWeight) {
  const Batch batch = two_texts();
  EXPECT_EQ(batch_loss(kLogits, batch, 0.1, 2).item<float>(),
            classification_loss(kLogits, batch.labels, 0.1).item<float>());
  EXPECT_NEAR(batch_loss(kLogits, batch, 0, 4).item<double>(), (std::log(2.0) + std::log(4.0)) / 4,
              1e-6)
      << "half of an update";
}

TEST(BatchLoss, IsWeighted) {
  Batch batch = two_texts();
  batch.weights = at::tensor({3.F, 0.5F});
  EXPECT_NEAR(batch_loss(kLogits, batch, 0, 3.5).item<double>(),
              (3 * std::log(2.0) + 0.5 * std::log(4.0)) / 3.5, 1e-6);
  batch.weights = at::tensor({0.F, 0.F});
  EXPECT_EQ(batch_loss(kLogits, batch, 0, 0).item<double>(), 0) << "nothing counts";
}

TEST(BatchLoss, OfDistributionsIsTheirCrossEntropy) {
  Batch batch = two_texts();
  batch.distributions = at::tensor({0.25F, 0.75F, 1.F, 0.F}).reshape({2, 2});
  const double first = std::log(2.0);
  const double second = -std::log(0.75);
  EXPECT_NEAR(batch_loss(kLogits, batch, 0.3, 2).item<double>(), (first + second) / 2, 1e-6)
      << "smoothing is part of the distributions";
  batch.weights = at::tensor({1.F, 3.F});
  EXPECT_NEAR(batch_loss(kLogits, batch, 0, 4).item<double>(), (first + 3 * second) / 4, 1e-6);
}

TEST(BatchLoss, HasTheGradientOfFiniteDifferences) {
  Batch batch = two_texts();
  batch.weights = at::tensor({2.F, 0.5F});
  batch.distributions = at::tensor({0.1F, 0.9F, 0.6F, 0.4F}).reshape({2, 2});
  const at::Tensor logits = kLogits.clone().requires_grad_(true);
  batch_loss(logits, batch, 0, 2.5).backward();
  constexpr double kStep = 1e-2;
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto moved = [&](double by) {
      at::Tensor at_i = kLogits.clone();
      at_i.view(-1)[i].add_(by);
      return batch_loss(at_i, batch, 0, 2.5).item<double>();
    };
    EXPECT_NEAR(logits.grad().view(-1)[i].item<double>(),
                (moved(kStep) - moved(-kStep)) / (2 * kStep), 1e-4);
  }
}

TEST(BatchLoss, OfSeveralLabelsIsTheSumOfEachOnes) {
  Batch batch = two_texts();
  batch.several = true;
  batch.labels.fill_(-1);
  batch.distributions = at::tensor({1.F, 0.F, 1.F, 1.F}).reshape({2, 2});
  // Probabilities 1/2, 1/2 and 3/4, 1/2.
  const double first = 2 * std::log(2.0);
  const double second = std::log(4.0 / 3) + std::log(2.0);
  EXPECT_NEAR(batch_loss(kLogits, batch, 0.3, 2).item<double>(), (first + second) / 2, 1e-6);
  batch.weights = at::tensor({1.F, 3.F});
  EXPECT_NEAR(batch_loss(kLogits, batch, 0, 4).item<double>(), (first + 3 * second) / 4, 1e-6);
  const at::Tensor logits = kLogits.clone().requires_grad_(true);
  batch_loss(logits, batch, 0, 4).backward();
  const std::vector<double> gradient = {-0.5 / 4, 0.5 / 4, -0.25 * 3 / 4, -0.5 * 3 / 4};
  for (std::int64_t i = 0; i < 4; ++i)
    EXPECT_NEAR(logits.grad().view(-1)[i].item<double>(), gradient[static_cast<std::size_t>(i)],
                1e-6)
        << "probability − target, by weight";
  EXPECT_EQ(batch_loss(kLogits.to(at::kBFloat16), batch, 0, 4).scalar_type(), at::kFloat);
}

TEST(CountCorrect, OfSeveralLabelsAllMustBeOnTheirSide) {
  Batch batch = two_texts();
  const at::Tensor logits = at::tensor({2.F, 1.F, -1.F, -2.F}).reshape({2, 2});
  EXPECT_EQ(count_correct(logits, batch).item<std::int64_t>(), 1);
  batch.several = true;
  batch.distributions = at::tensor({1.F, 0.F, 0.F, 0.F}).reshape({2, 2});
  EXPECT_EQ(count_correct(logits, batch).item<std::int64_t>(), 1);
  batch.distributions = at::tensor({0.9F, 0.95F, 0.1F, 0.05F}).reshape({2, 2});
  EXPECT_EQ(count_correct(logits, batch).item<std::int64_t>(), 2);
}

}  // namespace
}  // namespace diffuse
