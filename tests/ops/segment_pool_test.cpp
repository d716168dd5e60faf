#include "diffuse/ops/reference/segment_pool.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/on_device.hpp"

namespace diffuse {
namespace {

const std::vector<std::int32_t> kPooledOffsets = {0, 2, 3, 6};

class SegmentPoolOn : public testing::OnDevice {
 protected:
  at::Tensor tensor(at::ArrayRef<double> values, at::IntArrayRef shape) const {
    return at::tensor(values, at::kDouble).view(shape).to(device_);
  }
  at::Tensor rows() const {
    return tensor({1.0, -4.0, 3.0, -2.0, 5.0, 6.0, -1.0, 0.0, -3.0, 9.0, -2.0, 9.0}, {6, 2});
  }
  Segments segments(at::ScalarType dtype) const {
    return Segments(kPooledOffsets, at::TensorOptions(device_).dtype(dtype));
  }
};

TEST_P(SegmentPoolOn, TakesMeanAndMaximumOfEachSequence) {
  const Segments segments = this->segments(at::kDouble);
  const at::Tensor mean = tensor({2.0, -3.0, 5.0, 6.0, -2.0, 6.0}, {3, 2});
  const at::Tensor max = tensor({3.0, -2.0, 5.0, 6.0, -1.0, 9.0}, {3, 2});
  EXPECT_TRUE(segment_pool(rows(), segments, Pooling::mean).allclose(mean));
  EXPECT_TRUE(at::equal(segment_pool(rows(), segments, Pooling::max), max));
  const at::Tensor both = segment_pool(rows(), segments, Pooling::mean_max);
  EXPECT_TRUE(both.narrow(1, 0, 2).allclose(mean));
  EXPECT_TRUE(at::equal(both.narrow(1, 2, 2), max));
}

TEST_P(SegmentPoolOn, SplitsTheGradientOfAMaximumAmongEqualRows) {
  const Segments segments = this->segments(at::kDouble);
  const at::Tensor x = rows().set_requires_grad(true);
  segment_pool(x, segments, Pooling::max).sum().backward();
  EXPECT_TRUE(at::equal(
      x.grad(), tensor({0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.5, 0.0, 0.5}, {6, 2})));
}

// segment_reduce's own gradient divides only what is positive.
TEST_P(SegmentPoolOn, SplitsANegativeGradientToo) {
  const Segments segments = this->segments(at::kDouble);
  const at::Tensor x = rows().set_requires_grad(true);
  segment_pool(x, segments, Pooling::max).sum().neg().backward();
  EXPECT_TRUE(at::equal(
      x.grad(),
      tensor({0.0, 0.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 0.0, -0.5, 0.0, -0.5}, {6, 2})));
}

TEST_P(SegmentPoolOn, SharesTheGradientOfTheMeanByLength) {
  const Segments segments = this->segments(at::kFloat);
  const at::Tensor x = rows().to(at::kFloat).set_requires_grad(true);
  segment_pool(x, segments, Pooling::mean).sum().backward();
  const float third = 1.0F / 3.0F;
  EXPECT_TRUE(
      at::equal(x.grad().select(1, 0).cpu(), at::tensor({0.5F, 0.5F, 1.F, third, third, third})));
}

// Ten thousand rows a sequence, so that threads meet in their sums.
TEST_P(SegmentPoolOn, EqualCallsGiveEqualBytes) {
  const std::vector<std::int32_t> offsets = {0, 10'000, 20'000};
  const Segments segments(offsets, at::TensorOptions(device_).dtype(at::kFloat));
  const at::Tensor rows = at::randn({offsets.back(), 4}, at::detail::createCPUGenerator(1),
                                    at::TensorOptions(at::kFloat))
                              .to(device_);
  const at::Tensor first = segment_pool(rows, segments, Pooling::mean);
  for (int call = 0; call < 20; ++call)
    EXPECT_TRUE(at::equal(segment_pool(rows, segments, Pooling::mean), first));
}

INSTANTIATE_TEST_SUITE_P(Devices, SegmentPoolOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
