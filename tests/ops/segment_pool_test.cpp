#include "diffuse/ops/segment_pool.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <vector>

namespace diffuse {
namespace {

const std::vector<std::int32_t> kPooledOffsets = {0, 2, 3, 6};

at::Tensor rows() {
  return at::tensor({1.0, -4.0, 3.0, -2.0, 5.0, 6.0, -1.0, 0.0, -3.0, 9.0, -2.0, 9.0}, at::kDouble)
      .view({6, 2});
}

TEST(SegmentPool, TakesMeanAndMaximumOfEachSequence) {
  const Segments segments(kPooledOffsets, at::TensorOptions(at::kDouble));
  const at::Tensor mean = at::tensor({2.0, -3.0, 5.0, 6.0, -2.0, 6.0}, at::kDouble).view({3, 2});
  const at::Tensor max = at::tensor({3.0, -2.0, 5.0, 6.0, -1.0, 9.0}, at::kDouble).view({3, 2});
  EXPECT_TRUE(segment_pool(rows(), segments, Pooling::mean).allclose(mean));
  EXPECT_TRUE(at::equal(segment_pool(rows(), segments, Pooling::max), max));
  const at::Tensor both = segment_pool(rows(), segments, Pooling::mean_max);
  EXPECT_TRUE(both.narrow(1, 0, 2).allclose(mean));
  EXPECT_TRUE(at::equal(both.narrow(1, 2, 2), max));
}

TEST(SegmentPool, SplitsTheGradientOfAMaximumAmongEqualRows) {
  const Segments segments(kPooledOffsets, at::TensorOptions(at::kDouble));
  const at::Tensor x = rows().set_requires_grad(true);
  segment_pool(x, segments, Pooling::max).sum().backward();
  EXPECT_TRUE(at::equal(
      x.grad(),
      at::tensor({0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.5}, at::kDouble)
          .view({6, 2})));
}

TEST(SegmentPool, SharesTheGradientOfTheMeanByLength) {
  const Segments segments(kPooledOffsets, at::TensorOptions(at::kFloat));
  const at::Tensor x = rows().to(at::kFloat).set_requires_grad(true);
  segment_pool(x, segments, Pooling::mean).sum().backward();
  const float third = 1.0F / 3.0F;
  EXPECT_TRUE(at::equal(x.grad().select(1, 0), at::tensor({0.5F, 0.5F, 1.F, third, third, third})));
}

}  // namespace
}  // namespace diffuse
