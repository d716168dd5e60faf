#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "device/cuda_module.hpp"
#include "diffuse/base/build_info.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

using ::testing::StartsWith;

TEST(RuntimeInfo, NamesTheLibTorchInUse) {
  const RuntimeInfo info = runtime_info();
  EXPECT_THAT(info.libtorch_version, StartsWith(build_info().libtorch_version));
  EXPECT_TRUE(
      std::filesystem::exists(std::filesystem::path(info.libtorch_folder) / "libtorch_cpu.so"))
      << info.libtorch_folder;
}

TEST(RuntimeInfo, WithoutADriverSaysSo) {
  if (cuda::driver_present()) {
    GTEST_SKIP() << "this machine has an NVIDIA driver";
  }
  EXPECT_EQ(runtime_info().cuda, "no NVIDIA driver on this machine");
}

TEST(BuildInfo, IsFilledIn) {
  const BuildInfo& info = build_info();
  EXPECT_FALSE(info.version.empty());
  EXPECT_FALSE(info.commit.empty());
  EXPECT_FALSE(info.build_type.empty());
  EXPECT_THAT(info.compiler, ::testing::ContainsRegex("[A-Za-z]+ [0-9]+"));
  EXPECT_THAT(info.libtorch_version, ::testing::ContainsRegex("2\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace diffuse
