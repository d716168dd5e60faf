// Linked into every test program on tensors: opens the CUDA module before the first test. ATen
// remembers its first answer about CUDA, and a test of the CPU alone may be the first to ask.

#include <gtest/gtest.h>

#include "device/cuda_module.hpp"

namespace diffuse::testing {
namespace {

class CudaEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    if (cuda::driver_present()) cuda::open_module();
  }
};

[[maybe_unused]] const auto* const registered =
    ::testing::AddGlobalTestEnvironment(new CudaEnvironment);

}  // namespace
}  // namespace diffuse::testing
