#include "diffuse/train/loss.hpp"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

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

}  // namespace
}  // namespace diffuse
