#pragma once

#include <gtest/gtest.h>

#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse::testing {

/// A test of each kind of device, `cpu` and `cuda`; skipped, with the reason, where there is none.
class OnDevice : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      device_ = resolve_device(GetParam());
    } catch (const SystemError& error) {
      GTEST_SKIP() << error.what();
    }
  }

  at::Device device_ = at::kCPU;
};

inline auto every_device() { return ::testing::Values("cpu", "cuda"); }

inline std::string device_name(const ::testing::TestParamInfo<const char*>& suite) {
  return suite.param;
}

}  // namespace diffuse::testing
