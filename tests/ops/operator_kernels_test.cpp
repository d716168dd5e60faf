#include "diffuse/ops/operator_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace diffuse {
namespace {

constexpr Precision kPrecisions[] = {Precision::fp32, Precision::tf32, Precision::bf16,
                                     Precision::fp16};

TEST(OperatorKernels, TheReferenceRunsWhateverNoOtherDoes) {
  EXPECT_EQ(operator_kernels().back().kernel, Kernel::reference);
  for (const at::Device device : {at::Device(at::kCPU), at::Device(at::kCUDA, 0)}) {
    for (const Precision precision : kPrecisions) {
      const bool fused =
          device.is_cpu() && (precision == Precision::fp32 || precision == Precision::bf16);
      EXPECT_EQ(fastest_kernel(device, precision).kernel, fused              ? Kernel::fused
                                                          : device.is_cuda() ? Kernel::operations
                                                                             : Kernel::reference);
      EXPECT_EQ(no_fused_kernel(device, precision).empty(), fused);
    }
  }
}

TEST(OperatorKernels, SayWhatTheyAreFor) {
  EXPECT_EQ(no_fused_kernel(at::kCUDA, Precision::fp32), "the fused kernel is for the CPU");
  EXPECT_EQ(no_fused_kernel(at::kCPU, Precision::fp16),
            "the fused kernel computes in fp32 or bf16");
}

}  // namespace
}  // namespace diffuse
