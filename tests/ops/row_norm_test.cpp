#include "diffuse/ops/dispatched/row_norm.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/layer_norm.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "diffuse/base/error.hpp"
#include "own_gradients.hpp"
#include "support/message_of.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

using testing::exact_gradients;
using testing::exact_leaf;
using testing::part_off;
using testing::random_leaf;

constexpr double kRowNormEps = 1e-5;

class RowNormOn : public testing::OnDevice {
 protected:
  std::vector<at::Tensor> leaves(std::int64_t rows, std::int64_t dim, at::ScalarType type) const {
    return {random_leaf(device_, {rows, dim}, 1, type), random_leaf(device_, {dim}, 2, type),
            random_leaf(device_, {dim}, 3, type)};
  }
};

at::Tensor by_libtorch(const std::vector<at::Tensor>& leaves) {
  return at::layer_norm(leaves[0], leaves[1].sizes(), leaves[1], leaves[2], kRowNormEps);
}

at::Tensor by_row_norm(const std::vector<at::Tensor>& leaves, at::ScalarType type) {
  return row_norm(leaves[0], leaves[1], leaves[2], kRowNormEps, type);
}

struct Size {
  std::int64_t rows;
  std::int64_t dim;
};
const std::vector<Size> kSizes = {{1, 1},  {2, 3},    {1, 31},    {2, 33},    {45, 64},  {2, 257},
                                  {9, 31}, {1, 1024}, {65536, 1}, {65536, 3}, {4099, 33}};

TEST_P(RowNormOn, OfAnySizeIsLibTorchsAndSoAreItsGradients) {
  for (const auto& [rows, dim] : kSizes) {
    const auto own = leaves(rows, dim, at::kDouble);
    const at::Tensor expected = by_libtorch(own);
    const at::Tensor found = by_row_norm(own, at::kDouble);
    EXPECT_LT(part_off(found, expected), 1e-12) << rows << " x " << dim;
    const auto wanted = exact_gradients(expected, at::kDouble, own);
    const auto gradients = exact_gradients(found, at::kDouble, own);
    for (std::size_t i = 0; i < own.size(); ++i)
      EXPECT_LT(gradients[i].sub(wanted[i]).abs().max().item<double>(),
                // Of one channel x has no gradient: what is left is rounding.
                1e-11 * std::max(1.0, wanted[i].abs().max().item<double>()))
          << "tensor " << i << ", " << rows << " x " << dim;
  }
}

TEST_P(RowNormOn, IsWrittenInTheTypeOfAProductAndComputedInSingle) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const double rounding = type == at::kFloat ? 1e-6 : type == at::kHalf ? 1.0 / 1024 : 1.0 / 256;
    for (const auto& [rows, dim] : std::vector<Size>{{2, 3}, {300, 33}, {5, 1024}}) {
      const auto own = leaves(rows, dim, at::kFloat);
      const std::vector<at::Tensor> exact = {exact_leaf(own[0]), exact_leaf(own[1]),
                                             exact_leaf(own[2])};
      const at::Tensor found = by_row_norm(own, type);
      EXPECT_EQ(found.scalar_type(), type);
      const at::Tensor expected = by_libtorch(exact);
      EXPECT_LT(part_off(found, expected), rounding) << type;
      const auto wanted = exact_gradients(expected, type, exact);
      const auto gradients = exact_gradients(found, type, own);
      EXPECT_EQ(own[0].scalar_type(), at::kFloat);
      // Nothing is rounded to `type` on the way back.
      for (std::size_t i = 0; i < own.size(); ++i)
        EXPECT_LT(part_off(gradients[i], wanted[i]), 1e-5) << type << ", tensor " << i;
    }
  }
}

TEST_P(RowNormOn, OfRowsFarFromZeroKeepsTheirDeviation) {
  const auto own = leaves(7, 64, at::kFloat);
  const at::Tensor far = own[0].detach().add(4096).set_requires_grad(true);
  const std::vector<at::Tensor> moved = {far, own[1], own[2]};
  const std::vector<at::Tensor> exact = {exact_leaf(far), exact_leaf(own[1]), exact_leaf(own[2])};
  EXPECT_LT(part_off(by_row_norm(moved, at::kFloat), by_libtorch(exact)), 1e-3);
}

TEST_P(RowNormOn, ARowOfEqualNumbersIsTheBias) {
  const auto own = leaves(2, 33, at::kFloat);
  const at::Tensor equal = at::full({2, 33}, 0.1, own[0].options().requires_grad(false));
  const at::Tensor found = by_row_norm({equal, own[1], own[2]}, at::kFloat);
  EXPECT_TRUE(at::equal(found[0].detach(), own[2].detach()));
}

TEST_P(RowNormOn, WhatIsNoNumberInOneRowStaysThere) {
  auto own = leaves(3, 33, at::kFloat);
  own[0] = own[0].detach().clone();
  own[0][1][32] = std::numeric_limits<float>::infinity();
  const at::Tensor found = by_row_norm(own, at::kFloat).detach();
  EXPECT_TRUE(found[0].isfinite().all().item<bool>());
  EXPECT_FALSE(found[1].isfinite().any().item<bool>());
  EXPECT_TRUE(found[2].isfinite().all().item<bool>());
}

TEST_P(RowNormOn, EqualCallsGiveEqualBytesWhateverTheThreads) {
  const auto run = [&] {
    const auto own = leaves(4099, 33, at::kFloat);
    const at::Tensor result = by_row_norm(own, at::kBFloat16);
    std::vector<at::Tensor> all = exact_gradients(result, at::kBFloat16, own);
    all.push_back(result.detach());
    return all;
  };
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto alone = run();
  at::set_num_threads(3);
  const auto several = run();
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(at::equal(alone[i], several[i])) << i;
}

TEST_P(RowNormOn, OtherShapesAndTypesAreRefused) {
  const auto own = leaves(2, 3, at::kFloat);
  const auto refused = [&](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           at::ScalarType type) {
    return testing::message_of<Error>([&] { row_norm(x, weight, bias, kRowNormEps, type); });
  };
  EXPECT_NE(refused(own[0], own[1], own[2], at::kDouble).find("row_norm: x must be [N, D]"),
            std::string::npos);
  EXPECT_NE(refused(own[0].to(at::kHalf), own[1], own[2], at::kHalf), "");
  EXPECT_NE(refused(own[0], own[1].to(at::kHalf), own[2], at::kFloat), "");
  EXPECT_NE(refused(own[0], own[1].narrow(0, 0, 2), own[2], at::kFloat), "");
  EXPECT_NE(refused(own[0], own[1], own[2].narrow(0, 0, 2), at::kFloat), "");
  EXPECT_NE(refused(own[0].unsqueeze(0), own[1], own[2], at::kFloat), "");
}

INSTANTIATE_TEST_SUITE_P(, RowNormOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
