#include "diffuse/device/precision.hpp"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"
#include "support/on_device.hpp"

namespace diffuse {
namespace {

at::ScalarType product_type(at::Device device) {
  const auto options = at::TensorOptions(device).dtype(at::kFloat);
  return at::linear(at::ones({2, 3}, options), at::ones({4, 3}, options)).scalar_type();
}

TEST(Precision, AutoOnTheCpuIsFp32AndNeverFp16) {
  EXPECT_EQ(resolve_precision(Precision::automatic, at::kCPU, 768), Precision::fp32);
  EXPECT_EQ(resolve_precision(Precision::fp16, at::kCPU, 768), Precision::fp16);
  EXPECT_EQ(resolve_precision(Precision::bf16, at::kCPU, 768), Precision::bf16);
  EXPECT_EQ(resolve_precision(Precision::tf32, at::kCPU, 768), Precision::fp32);
}

TEST(Precision, AutoOnCudaIsARuleOfSizes) {
  EXPECT_EQ(automatic_on_cuda(true, 768), Precision::bf16);
  EXPECT_EQ(automatic_on_cuda(true, 256), Precision::bf16);
  EXPECT_EQ(automatic_on_cuda(true, 255), Precision::tf32);
  EXPECT_EQ(automatic_on_cuda(false, 256), Precision::fp16);
  EXPECT_EQ(automatic_on_cuda(false, 255), Precision::fp32);
  // Of a TorchScript file nothing is known; whoever exports one has a large model.
  EXPECT_EQ(automatic_on_cuda(true, 0), Precision::bf16);
}

TEST(Precision, OnlyTf32LetsCudaRoundItsFactors) {
  set_matrix_precision(Precision::tf32);
  EXPECT_EQ(at::globalContext().float32MatmulPrecision(), at::Float32MatmulPrecision::HIGH);
  set_matrix_precision(Precision::fp32);
  EXPECT_EQ(at::globalContext().float32MatmulPrecision(), at::Float32MatmulPrecision::HIGHEST);
}

TEST(PrecisionScope, RefusesAPrecisionThatWasNotResolved) {
  EXPECT_THROW(PrecisionScope(Precision::automatic, at::kCPU), Error);
}

using PrecisionScopeOn = testing::OnDevice;

TEST_P(PrecisionScopeOn, ChoosesTheTypeOfProductsAndPutsItBack) {
  EXPECT_EQ(product_type(device_), at::kFloat);
  {
    const PrecisionScope bf16(Precision::bf16, device_);
    EXPECT_EQ(product_type(device_), at::kBFloat16);
    {
      const PrecisionScope fp16(Precision::fp16, device_);
      EXPECT_EQ(product_type(device_), at::kHalf);
    }
    EXPECT_EQ(product_type(device_), at::kBFloat16);
  }
  EXPECT_EQ(product_type(device_), at::kFloat);
  const PrecisionScope fp32(Precision::fp32, device_);
  EXPECT_EQ(product_type(device_), at::kFloat);
}

TEST_P(PrecisionScopeOn, AnExceptionPutsItBack) {
  try {
    const PrecisionScope scope(Precision::bf16, device_);
    throw std::runtime_error("in the middle");
  } catch (const std::runtime_error&) {
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(device_.type()));
  EXPECT_EQ(product_type(device_), at::kFloat);
}

TEST_P(PrecisionScopeOn, AWeightThatChangedIsNotTakenFromTheCache) {
  const auto options = at::TensorOptions(device_).dtype(at::kFloat);
  at::Tensor weight = at::ones({1, 1}, options).requires_grad_(true);
  const at::Tensor x = at::ones({1, 1}, options);
  const auto product = [&] {
    const PrecisionScope scope(Precision::bf16, device_);
    return at::linear(x, weight).item<float>();
  };
  EXPECT_EQ(product(), 1);
  {
    const at::NoGradGuard no_grad;
    weight.fill_(2);
  }
  EXPECT_EQ(product(), 2);
}

INSTANTIATE_TEST_SUITE_P(Devices, PrecisionScopeOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
