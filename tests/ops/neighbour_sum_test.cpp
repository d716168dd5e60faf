#include "diffuse/ops/reference/neighbour_sum.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

const std::vector<std::int32_t> kTextOffsets = {0, 3, 4, 9, 10, 12};

class OperatorOn : public testing::OnDevice {
 protected:
  NeighbourMasks masks_for(const std::vector<std::int64_t>& shifts) const {
    return NeighbourMasks(kTextOffsets, shifts, device_);
  }

  at::Tensor random(at::IntArrayRef shape, std::uint64_t seed) const {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble))
        .to(device_);
  }
};

/// The sum by the definition: a loop over sequences, rows and shifts.
at::Tensor by_definition(const at::Tensor& values, const at::Tensor& weight,
                         const std::vector<std::int64_t>& shifts) {
  const at::Tensor sum = at::zeros(values.sizes(), values.options());
  for (std::size_t b = 0; b + 1 < kTextOffsets.size(); ++b) {
    for (std::int64_t i = kTextOffsets[b]; i < kTextOffsets[b + 1]; ++i) {
      for (std::size_t n = 0; n < shifts.size(); ++n) {
        const std::int64_t j = i + shifts[n];
        if (j < kTextOffsets[b] || j >= kTextOffsets[b + 1]) continue;
        const at::Tensor w = weight[static_cast<std::int64_t>(n)];
        sum[i].add_(weight.dim() == 3 ? w.mv(values[j]) : w.mul(values[j]));
      }
    }
  }
  return sum;
}

TEST_P(OperatorOn, NeighbourMasksHoldTheRowsWhoseNeighbourIsInNoOrAnotherSequence) {
  const NeighbourMasks masks = masks_for({-1, 2, 4, 5});
  const auto rows = [](std::initializer_list<std::int64_t> list) {
    return at::tensor(std::vector<std::int64_t>(list));
  };
  EXPECT_TRUE(at::equal(masks.masked(-1).cpu(), rows({0, 3, 4, 9, 10})));
  EXPECT_TRUE(at::equal(masks.masked(2).cpu(), rows({1, 2, 3, 7, 8, 9, 10, 11})));
  EXPECT_TRUE(at::equal(masks.masked(4).cpu(), rows({0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11})));
  EXPECT_TRUE(masks.any(4));
  EXPECT_FALSE(masks.any(5));
  EXPECT_TRUE(at::equal(masks.masked(5).cpu(), rows({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})));
  EXPECT_THROW(masks.any(3), std::out_of_range);
}

TEST_P(OperatorOn, NeighbourSumFollowsTheDefinitionForEveryFormOfWeight) {
  for (const std::vector<std::int64_t>& shifts :
       {std::vector<std::int64_t>{-1, 0, 1}, {-4, -2, 2, 4}, {-9, 0, 9}, {0}, {-20, 3}}) {
    const auto count = static_cast<std::int64_t>(shifts.size());
    const at::Tensor values = random({12, 5}, 1);
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{count}, {count, 5}, {count, 5, 5}}) {
      const at::Tensor weight = random(shape, 2);
      EXPECT_TRUE(at::allclose(neighbour_sum(values, weight, shifts, masks_for(shifts)),
                               by_definition(values, weight, shifts), 1e-12, 1e-12))
          << "first shift " << shifts[0] << ", weight of " << shape.size() << " dimensions";
    }
  }
}

TEST_P(OperatorOn, NeighbourSumWithoutAnyReachableNeighbourIsZeroWithZeroGradients) {
  const std::vector<std::int64_t> shifts = {-7, 7};
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{2}, {2, 3}, {2, 3, 3}}) {
    const at::Tensor values = random({12, 3}, 1).set_requires_grad(true);
    const at::Tensor weight = random(shape, 2).set_requires_grad(true);
    const at::Tensor sum = neighbour_sum(values, weight, shifts, masks_for(shifts));
    EXPECT_TRUE(at::equal(sum, at::zeros({12, 3}, values.options().requires_grad(false))));
    sum.sum().backward();
    ASSERT_TRUE(values.grad().defined());
    ASSERT_TRUE(weight.grad().defined());
    EXPECT_EQ(weight.grad().abs().sum().item<double>(), 0.0);
    EXPECT_EQ(values.grad().abs().sum().item<double>(), 0.0);
  }
}

TEST_P(OperatorOn, NeighbourSumRefusesWeightsOfAnotherShape) {
  const std::vector<std::int64_t> shifts = {-1, 1};
  const NeighbourMasks masks = masks_for(shifts);
  const at::Tensor values = random({12, 3}, 1);
  EXPECT_THROW(neighbour_sum(values, random({3}, 1), shifts, masks), Error);
  EXPECT_THROW(neighbour_sum(values, random({2, 4}, 1), shifts, masks), Error);
  EXPECT_THROW(neighbour_sum(values, random({2, 3, 4}, 1), shifts, masks), Error);
  EXPECT_THROW(neighbour_sum(values[0], random({2}, 1), shifts, masks), Error);
}

TEST_P(OperatorOn, DiffusionStepMixesTheBaseWithTheSum) {
  const std::vector<std::int64_t> shifts = {-1, 0, 1};
  const NeighbourMasks masks = masks_for(shifts);
  const at::Tensor base = random({12, 3}, 1);
  const at::Tensor values = random({12, 3}, 2);
  const at::Tensor alpha = at::tensor({0.1, 0.5, 0.9}, at::kDouble).to(device_);
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{3}, {3, 3}, {3, 3, 3}}) {
    const at::Tensor weight = random(shape, 3);
    const at::Tensor sum = by_definition(values, weight, shifts);
    EXPECT_TRUE(at::allclose(diffusion_step(base, values, weight, 0.3, shifts, masks),
                             base.mul(0.3).add(sum.mul(0.7)), 1e-12, 1e-12));
    EXPECT_TRUE(at::allclose(diffusion_step(base, values, weight, alpha, shifts, masks),
                             base.mul(alpha).add(sum.mul(alpha.mul(-1).add(1))), 1e-12, 1e-12));
  }
}

TEST(NeighbourhoodShifts, StrideByTheDilation) {
  using Shifts = std::vector<std::int64_t>;
  EXPECT_EQ(neighbourhood_shifts(1, 1, true), (Shifts{-1, 0, 1}));
  EXPECT_EQ(neighbourhood_shifts(2, 3, false), (Shifts{-6, -3, 3, 6}));
  EXPECT_EQ(neighbourhood_shifts(0, 5, true), (Shifts{0}));
  EXPECT_EQ(neighbourhood_shifts(2, 3, true, /*causal=*/true), (Shifts{-6, -3, 0}));
  EXPECT_EQ(neighbourhood_shifts(1, 4, false, /*causal=*/true), (Shifts{-4}));
}

INSTANTIATE_TEST_SUITE_P(Devices, OperatorOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
