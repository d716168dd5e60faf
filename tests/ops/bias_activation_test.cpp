#include "diffuse/ops/dispatched/bias_activation.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/reference/diffusion.hpp"
#include "own_gradients.hpp"
#include "support/message_of.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

using testing::exact_gradients;
using testing::exact_leaf;
using testing::part_off;
using testing::random_leaf;

const std::vector<Activation> kActivations = {Activation::identity, Activation::relu,
                                              Activation::gelu, Activation::silu, Activation::tanh};

class BiasActivationOn : public testing::OnDevice {
 protected:
  /// Product and bias; several deviations wide, where curves are flat.
  std::vector<at::Tensor> parts(std::int64_t rows, std::int64_t width, at::ScalarType type,
                                at::ScalarType sums) const {
    return {random_leaf(device_, {rows, width}, 1, type).detach().mul(3).set_requires_grad(true),
            random_leaf(device_, {width}, 2, sums)};
  }
};

at::Tensor by_reference(const std::vector<at::Tensor>& parts, Activation activation, bool gated) {
  const at::Tensor biased = parts[0].add(parts[1]);
  if (!gated) return activate(biased, activation);
  const std::vector<at::Tensor> halves = biased.chunk(2, 1);
  return at::mul(halves[0], activate(halves[1], activation));
}

at::Tensor by_one_operation(const std::vector<at::Tensor>& parts, Activation activation,
                            bool gated) {
  return gated ? gated_activation(parts[0], parts[1], activation)
               : bias_activation(parts[0], parts[1], activation);
}

TEST_P(BiasActivationOn, OfAnySizeIsTheReferencesAndSoAreItsGradients) {
  const std::vector<std::pair<std::int64_t, std::int64_t>> sizes = {
      {1, 1}, {2, 3}, {1, 31}, {2, 33}, {45, 64}, {2, 257}, {1, 1024}, {65536, 1}, {4099, 3}};
  for (const auto& [rows, dim] : sizes) {
    for (const bool gated : {false, true}) {
      for (const Activation activation : kActivations) {
        const auto own = parts(rows, gated ? 2 * dim : dim, at::kDouble, at::kDouble);
        const at::Tensor expected = by_reference(own, activation, gated);
        const at::Tensor found = by_one_operation(own, activation, gated);
        EXPECT_LT(part_off(found, expected), 1e-12) << rows << " x " << dim;
        const auto wanted = exact_gradients(expected, at::kDouble, own);
        const auto gradients = exact_gradients(found, at::kDouble, own);
        for (std::size_t i = 0; i < own.size(); ++i)
          EXPECT_LT(part_off(gradients[i], wanted[i]), 1e-11)
              << "tensor " << i << ", " << rows << " x " << dim << ", activation "
              << static_cast<int>(activation) << (gated ? ", gated" : "");
      }
    }
  }
}

TEST_P(BiasActivationOn, HalfPrecisionIsComputedInSingleAndRoundedOnce) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const double rounding = type == at::kFloat ? 2e-6 : type == at::kHalf ? 1.0 / 1024 : 1.0 / 256;
    for (const bool gated : {false, true}) {
      for (const Activation activation : kActivations) {
        const auto own = parts(300, 66, type, at::kFloat);
        const std::vector<at::Tensor> exact = {exact_leaf(own[0]), exact_leaf(own[1])};
        const at::Tensor found = by_one_operation(own, activation, gated);
        EXPECT_EQ(found.scalar_type(), type);
        const at::Tensor expected = by_reference(exact, activation, gated);
        EXPECT_LT(part_off(found, expected), rounding) << type;
        const auto wanted = exact_gradients(expected, type, exact);
        const auto gradients = exact_gradients(found, type, own);
        EXPECT_LT(part_off(gradients[0], wanted[0]), rounding) << type;
        // What is added up is not rounded before.
        EXPECT_LT(part_off(gradients[1], wanted[1]), 1e-5) << type;
      }
    }
  }
}

TEST_P(BiasActivationOn, WhatIsNoNumberStaysOneAndLargeNumbersOverflowNothing) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor product = at::tensor({none, 80.F, -80.F, 3e4F, -3e4F, 0.F}).view({1, 6});
  for (const Activation activation : kActivations) {
    const at::Tensor leaf = product.clone().to(device_).set_requires_grad(true);
    const at::Tensor other = leaf.detach().clone().set_requires_grad(true);
    const at::Tensor bias = at::zeros({6}, leaf.options().requires_grad(false));
    const at::Tensor found = bias_activation(leaf, bias, activation);
    const at::Tensor expected = activate(other, activation);
    found.sum().backward();
    expected.sum().backward();
    EXPECT_TRUE(found.detach().allclose(expected.detach(), 1e-5, 1e-6, /*equal_nan=*/true));
    // LibTorch's relu passes the gradient of what is no number.
    EXPECT_TRUE(leaf.grad().allclose(other.grad(), 1e-5, 1e-6, /*equal_nan=*/true))
        << static_cast<int>(activation) << leaf.grad() << other.grad();
  }
}

TEST_P(BiasActivationOn, SameBytesWhateverTheThreads) {
  const auto run = [&] {
    const auto own = parts(4099, 66, at::kBFloat16, at::kFloat);
    const at::Tensor result = by_one_operation(own, Activation::gelu, /*gated=*/true);
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

TEST_P(BiasActivationOn, OtherShapesAndTypesAreRefused) {
  const auto own = parts(2, 6, at::kFloat, at::kFloat);
  const auto refused = [&](const at::Tensor& product, const at::Tensor& bias, bool gated) {
    return testing::message_of<Error>([&] {
      by_one_operation({product, bias}, Activation::gelu, gated);
    });
  };
  EXPECT_NE(refused(own[0], own[1].narrow(0, 0, 5), false).find("bias_activation: product must"),
            std::string::npos);
  EXPECT_NE(refused(own[0].narrow(1, 0, 5), own[1].narrow(0, 0, 5), true).find("gated_activation"),
            std::string::npos);
  EXPECT_NE(refused(own[0].to(at::kInt), own[1], false), "");
  EXPECT_NE(refused(own[0].to(at::kHalf), own[1].to(at::kHalf), false), "");
  EXPECT_NE(refused(own[0].view({-1}), own[1], false), "");
}

INSTANTIATE_TEST_SUITE_P(, BiasActivationOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
