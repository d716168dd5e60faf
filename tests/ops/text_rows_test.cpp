#include "diffuse/ops/dispatched/text_rows.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/reference/diffusion_step.hpp"
#include "diffuse/ops/reference/neighbour_sum.hpp"
#include "diffuse/ops/reference/segment_pool.hpp"
#include "support/message_of.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

using Offsets = std::vector<std::int32_t>;
using Shifts = std::vector<std::int64_t>;

/// Texts of one row and of more, at odd places.
const Offsets kOffsets = {0, 3, 4, 9, 10, 12, 45};

class TextRowsOn : public testing::OnDevice {
 protected:
  at::Tensor random(at::IntArrayRef shape, std::uint64_t seed,
                    at::ScalarType type = at::kDouble) const {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kDouble))
        .to(type)
        .to(device_)
        .set_requires_grad(true);
  }
  TextRows texts(const Offsets& offsets) const {
    return TextRows(at::tensor(offsets, at::kInt).to(device_), offsets.back());
  }
};

/// The gradients of `loss`'s leaves for a random gradient of `result`.
std::vector<at::Tensor> gradients(const at::Tensor& result, const std::vector<at::Tensor>& leaves) {
  const at::Tensor gradient =
      at::randn(result.sizes(), at::detail::createCPUGenerator(9), at::TensorOptions(at::kDouble))
          .to(result.options());
  result.backward(gradient);
  std::vector<at::Tensor> found;
  for (const at::Tensor& leaf : leaves) {
    found.push_back(leaf.grad().clone());
    leaf.mutable_grad().reset();
  }
  return found;
}

TEST_P(TextRowsOn, EachRowKnowsItsText) {
  const at::Tensor of_row = texts({0, 3, 4, 9, 10}).of_row.cpu();
  EXPECT_TRUE(at::equal(of_row, at::tensor({0, 0, 0, 1, 2, 2, 2, 2, 2, 3}, at::kInt)));
}

TEST_P(TextRowsOn, NeighbourRowsAreTheReferencesAndSoIsTheirGradient) {
  for (const std::int64_t shift : {-100, -3, -1, 0, 1, 2, 100}) {
    for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
      const at::Tensor values = random({45, 5}, 1, type);
      const std::vector<std::int64_t> shifts = {shift};
      const NeighbourMasks masks(kOffsets, shifts, device_);
      const at::Tensor expected = shift_rows(values, shift, masks);
      const auto wanted = gradients(expected.clone(), {values});
      const at::Tensor found = neighbour_rows(values, texts(kOffsets), shift);
      EXPECT_TRUE(at::equal(found, expected)) << shift;
      EXPECT_TRUE(at::equal(gradients(found, {values}).front(), wanted.front())) << shift;
    }
  }
}

TEST_P(TextRowsOn, AMixIsTheReferencesStepAndSoAreItsGradients) {
  for (const Shifts& shifts :
       {Shifts{-1, 0, 1}, {0}, {-40, -3, 2, 100}, {-9, -8, -7, -5, -4, -3, -2, -1, 0, 1, 7, 30}}) {
    const auto count = static_cast<std::int64_t>(shifts.size());
    for (const std::int64_t dim : {1, 5, 66}) {
      for (const bool by_channel : {true, false}) {
        const at::Tensor values = random({45, dim}, 1);
        const at::Tensor base = random({45, dim}, 2);
        const at::Tensor weight = by_channel ? random({count, dim}, 3) : random({count}, 3);
        const at::Tensor alpha = random({dim}, 4).sigmoid().detach().set_requires_grad(true);
        const NeighbourMasks masks(kOffsets, shifts, device_);
        const std::vector<at::Tensor> leaves = {values, base, weight, alpha};
        const at::Tensor expected = diffusion_step(
            base, values, weight.dim() == 1 ? weight.unsqueeze(1).expand({-1, dim}) : weight, alpha,
            shifts, masks);
        const at::Tensor found = neighbour_mix(
            values, base,
            (weight.dim() == 1 ? weight.unsqueeze(1) : weight).mul(alpha.neg().add(1)), alpha,
            texts(kOffsets), shifts);
        EXPECT_TRUE(at::allclose(found, expected, 1e-12, 1e-12)) << dim;
        const auto wanted = gradients(expected, leaves);
        const auto own = gradients(found, leaves);
        for (std::size_t i = 0; i < leaves.size(); ++i)
          EXPECT_TRUE(at::allclose(own[i], wanted[i], 1e-11, 1e-11))
              << "tensor " << i << ", dim " << dim << ", first shift " << shifts[0];
      }
    }
  }
}

TEST_P(TextRowsOn, AMixOfOneNumberForAllChannels) {
  const at::Tensor values = random({45, 7}, 1);
  const at::Tensor base = random({45, 7}, 2);
  const at::Tensor weight = random({3}, 3);
  const at::Tensor keep = random({1}, 4);
  const Shifts shifts = {-2, 0, 2};
  const at::Tensor whole = neighbour_mix(values, base, weight.unsqueeze(1).expand({3, 7}),
                                         keep.expand({7}), texts(kOffsets), shifts);
  const at::Tensor found = neighbour_mix(values, base, weight, keep, texts(kOffsets), shifts);
  EXPECT_TRUE(at::equal(found, whole));
  const auto own = gradients(found, {weight, keep});
  EXPECT_EQ(own[0].sizes(), at::IntArrayRef({3}));
  EXPECT_EQ(own[1].sizes(), at::IntArrayRef({1}));
}

TEST_P(TextRowsOn, HalfPrecisionValuesAreSummedInSingle) {
  const Shifts shifts = {-1, 0, 1};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const at::Tensor values = random({45, 33}, 1, type);
    const at::Tensor base = random({45, 33}, 2, at::kFloat);
    const at::Tensor weight = random({3, 33}, 3, at::kFloat);
    const at::Tensor keep = random({33}, 4, at::kFloat);
    const std::vector<at::Tensor> leaves = {values, base, weight, keep};
    std::vector<at::Tensor> exact;
    for (const at::Tensor& leaf : leaves)
      exact.push_back(leaf.detach().to(at::kDouble).set_requires_grad(true));
    const at::Tensor found = neighbour_mix(values, base, weight, keep, texts(kOffsets), shifts);
    const at::Tensor wanted =
        neighbour_mix(exact[0], exact[1], exact[2], exact[3], texts(kOffsets), shifts);
    EXPECT_EQ(found.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::allclose(found.to(at::kDouble), wanted, 1e-5, 1e-5)) << type;
    const auto own = gradients(found, leaves);
    const auto others = gradients(wanted, exact);
    EXPECT_EQ(own[0].scalar_type(), type);
    const double rounding = type == at::kFloat ? 1e-5 : type == at::kHalf ? 2e-3 : 2e-2;
    for (std::size_t i = 0; i < own.size(); ++i)
      EXPECT_TRUE(at::allclose(own[i].to(at::kDouble), others[i], i == 0 ? rounding : 1e-4,
                               i == 0 ? rounding : 1e-4))
          << type << ", tensor " << i;
  }
}

TEST_P(TextRowsOn, WhatIsInfiniteInOneTextStaysThere) {
  at::Tensor values = random({45, 4}, 1).detach();
  values.narrow(0, 3, 1).fill_(std::numeric_limits<double>::infinity());  // the text of one row
  const at::Tensor base = random({45, 4}, 2).detach();
  const at::Tensor weight = random({3, 4}, 3).detach();
  const at::Tensor keep = random({4}, 4).detach();
  const at::Tensor found =
      neighbour_mix(values, base, weight, keep, texts(kOffsets), Shifts{-1, 0, 1});
  EXPECT_TRUE(found.narrow(0, 0, 3).isfinite().all().item<bool>());
  EXPECT_TRUE(found.narrow(0, 4, 41).isfinite().all().item<bool>());
  EXPECT_FALSE(found.narrow(0, 3, 1).isfinite().any().item<bool>());
}

TEST_P(TextRowsOn, PoolsAsTheReferenceDoes) {
  for (const Pooling pooling : {Pooling::mean, Pooling::max, Pooling::mean_max}) {
    for (const std::int64_t dim : {1, 5, 66}) {
      // Whole numbers, so that maxima are shared.
      const at::Tensor rows = at::randint(-2, 3, {45, dim}, at::detail::createCPUGenerator(7),
                                          at::TensorOptions(at::kDouble))
                                  .to(device_)
                                  .set_requires_grad(true);
      const Segments segments(kOffsets, rows.options());
      const at::Tensor expected = segment_pool(rows, segments, pooling);
      const at::Tensor found = pool_texts(rows, texts(kOffsets), pooling);
      EXPECT_TRUE(at::allclose(found, expected, 1e-12, 1e-12));
      const auto wanted = gradients(expected, {rows});
      EXPECT_TRUE(at::allclose(gradients(found, {rows})[0], wanted[0], 1e-12, 1e-12));
    }
  }
}

TEST_P(TextRowsOn, AMaximumOfNoNumberIsNone) {
  at::Tensor rows = random({45, 3}, 1, at::kFloat).detach();
  for (const std::int64_t at : {4, 8, 12})  // the first, the last, and of a long text
    rows[at][1] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor found = pool_texts(rows, texts(kOffsets), Pooling::max);
  const Segments segments(kOffsets, rows.options());
  EXPECT_TRUE(at::equal(at::isnan(found), at::isnan(segment_pool(rows, segments, Pooling::max))));
  EXPECT_EQ(at::isnan(found).sum().item<std::int64_t>(), 2);
}

TEST_P(TextRowsOn, ALongTextIsMixedAndPooledWhole) {
  const Offsets offsets = {0, 1, 65537};
  const at::Tensor values = random({65537, 2}, 1);
  const at::Tensor base = random({65537, 2}, 2);
  const at::Tensor weight = random({2, 2}, 3);
  const at::Tensor keep = random({2}, 4);
  const Shifts shifts = {-60000, 1};
  const NeighbourMasks masks(offsets, shifts, device_);
  const std::vector<at::Tensor> leaves = {values, base, weight};
  const at::Tensor expected =
      segment_pool(diffusion_step(base, values, weight, 0.25, shifts, masks),
                   Segments(offsets, values.options()), Pooling::mean_max);
  const at::Tensor found =
      pool_texts(neighbour_mix(values, base, weight.mul(0.75), at::full({1}, 0.25, keep.options()),
                               texts(offsets), shifts),
                 texts(offsets), Pooling::mean_max);
  EXPECT_TRUE(at::allclose(found, expected, 1e-10, 1e-10));
  const auto wanted = gradients(expected, leaves);
  const auto own = gradients(found, leaves);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    EXPECT_TRUE(at::allclose(own[i], wanted[i], 1e-10, 1e-10)) << i;
}

TEST_P(TextRowsOn, EqualCallsGiveEqualBytesWhateverTheThreads) {
  Offsets offsets = {0};
  while (offsets.back() < 4000) offsets.push_back(offsets.back() + 1 + (offsets.back() * 7) % 90);
  const std::int64_t count = offsets.back();
  const auto run = [&] {
    const std::vector<at::Tensor> leaves = {
        random({count, 24}, 1, at::kFloat), random({count, 24}, 2, at::kFloat),
        random({3, 24}, 3, at::kFloat), random({24}, 4, at::kFloat)};
    const at::Tensor state =
        neighbour_mix(leaves[0], leaves[1], leaves[2], leaves[3], texts(offsets), Shifts{-1, 0, 1});
    const at::Tensor pooled = pool_texts(state, texts(offsets), Pooling::mean_max);
    std::vector<at::Tensor> found = gradients(pooled, leaves);
    found.push_back(pooled.detach());
    return found;
  };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto alone = run();
  at::set_num_threads(3);
  const auto several = run();
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(at::equal(alone[i], several[i])) << i;
}

TEST_P(TextRowsOn, OtherShapesAndTypesAreRefused) {
  const at::Tensor rows = random({45, 4}, 1, at::kFloat);
  const at::Tensor weight = random({3, 4}, 3, at::kFloat);
  const at::Tensor keep = random({4}, 4, at::kFloat);
  const auto refused = [&](const at::Tensor& values, const at::Tensor& base, const at::Tensor& w,
                           const at::Tensor& k, const Shifts& shifts) {
    return testing::message_of<Error>(
        [&] { neighbour_mix(values, base, w, k, texts(kOffsets), shifts); });
  };
  const Shifts shifts = {-1, 0, 1};
  const std::string message = refused(rows, rows, weight, keep, {0, 1});
  EXPECT_NE(message.find("weight [2] or [2, D] for 2 shifts (1 to 32)"), std::string::npos)
      << message;
  EXPECT_NE(refused(rows, rows.narrow(0, 0, 44), weight, keep, shifts), "");
  EXPECT_NE(refused(rows, rows, weight, keep.narrow(0, 0, 3), shifts), "");
  EXPECT_NE(refused(rows, rows.to(at::kHalf), weight, keep, shifts), "");
  EXPECT_NE(refused(rows.to(at::kInt), rows, weight, keep, shifts), "");
  EXPECT_NE(refused(rows, rows, random({33, 4}, 3, at::kFloat), keep, Shifts(33, 1)), "");
}

INSTANTIATE_TEST_SUITE_P(, TextRowsOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
