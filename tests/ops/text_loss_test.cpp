#include "diffuse/ops/dispatched/text_loss.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "diffuse/base/error.hpp"
#include "support/message_of.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

class TextLossOn : public testing::OnDevice {
 protected:
  at::Tensor logits(at::IntArrayRef shape) const {
    return at::randn(shape, at::detail::createCPUGenerator(4), at::TensorOptions(at::kFloat))
        .mul(4)
        .to(device_)
        .set_requires_grad(true);
  }
  at::Tensor labels(const std::vector<std::int64_t>& numbers) const {
    return at::tensor(numbers, at::kLong).to(device_);
  }
};

TEST_P(TextLossOn, OfAnyNumberOfClassesIsLibTorchsAndSoIsItsGradient) {
  for (const std::int64_t classes : {1, 2, 31, 32, 33, 1000}) {
    const at::Tensor own = logits({5, classes});
    const at::Tensor other = own.detach().clone().set_requires_grad(true);
    const at::Tensor wanted = labels({0, classes - 1, classes / 2, 0, classes / 3});
    const TextLossSum found = text_loss_sum(own, {.labels = wanted, .label_smoothing = 0.2});
    const at::Tensor expected =
        at::cross_entropy_loss(other, wanted, {}, at::Reduction::Sum, -100, 0.2);
    found.loss.mul(3).backward();
    expected.mul(3).backward();
    EXPECT_NEAR(found.loss.item<float>(), expected.item<float>(),
                1e-5F * expected.item<float>() + 1e-6F);
    EXPECT_TRUE(at::allclose(own.grad(), other.grad(), 1e-4, 1e-5)) << classes;
    EXPECT_EQ(found.correct.item<std::int64_t>(),
              other.argmax(-1).eq(wanted).sum().item<std::int64_t>());
  }
}

TEST_P(TextLossOn, LargeLogitsOverflowNothing) {
  const at::Tensor own = at::tensor({1000.F, -1000.F, 0.F, -3e38F, 3e38F, 0.F}).view({2, 3});
  const at::Tensor leaf = own.to(device_).set_requires_grad(true);
  const TextLossSum found = text_loss_sum(leaf, {.labels = labels({0, 1})});
  found.loss.backward();
  EXPECT_EQ(found.loss.item<float>(), 0.F);
  EXPECT_EQ(found.correct.item<std::int64_t>(), 2);
  EXPECT_TRUE(at::equal(leaf.grad().cpu(), at::zeros({2, 3})));
}

TEST_P(TextLossOn, ATextWithALogitThatIsNoNumberIsNotRightAndSpoilsNoOther) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor leaf = at::tensor({1.F, none, 2.F, -1.F}).view({2, 2}).to(device_);
  const at::Tensor own = leaf.set_requires_grad(true);
  const TextLossSum found = text_loss_sum(own, {.labels = labels({0, 0})});
  found.loss.backward();
  EXPECT_TRUE(found.loss.isnan().item<bool>());
  EXPECT_EQ(found.correct.item<std::int64_t>(), 1);
  EXPECT_TRUE(own.grad()[0].isnan().all().item<bool>());
  EXPECT_TRUE(own.grad()[1].isfinite().all().item<bool>());
}

TEST_P(TextLossOn, OfSeveralLabelsATextIsRightWhereEachClassIs) {
  const at::Tensor own =
      at::tensor({2.F, -1.F, 2.F, 1.F, 0.F, -1.F}).view({3, 2}).to(device_).set_requires_grad(true);
  const at::Tensor wanted = at::tensor({1.F, 0.F, 1.F, 0.F, 0.F, 0.F}).view({3, 2}).to(device_);
  const TextLossSum found = text_loss_sum(own, {.labels = labels({0, 0, 0}),
                                                .distributions = wanted,
                                                .weights = at::tensor({1.F, 0.F, 2.F}).to(device_),
                                                .several = true});
  EXPECT_EQ(found.correct.item<std::int64_t>(), 2);
  found.loss.backward();
  EXPECT_TRUE(at::equal(own.grad()[1].cpu(), at::zeros({2})));  // of weight 0
  EXPECT_NEAR(own.grad()[2][0].item<float>(), 2 * 0.5F, 1e-6F);
}

TEST(TextLoss, SaysWhatDoesNotFit) {
  const at::Tensor own = at::ones({3, 2});
  const at::Tensor right = at::zeros({3}, at::kLong);
  for (const LossTargets& wrong : {LossTargets{}, LossTargets{.labels = at::zeros({2}, at::kLong)},
                                   LossTargets{.labels = at::zeros({3}, at::kInt)},
                                   LossTargets{.labels = right, .distributions = at::ones({3, 3})},
                                   LossTargets{.labels = right, .weights = at::ones({2})},
                                   LossTargets{.labels = right, .several = true}})
    EXPECT_EQ(testing::message_of<Error>([&] { text_loss_sum(own, wrong); }).find("text_loss_sum"),
              0U);
}

INSTANTIATE_TEST_SUITE_P(, TextLossOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
