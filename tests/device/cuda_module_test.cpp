#include "device/cuda_module.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cuda_table_calls.hpp"
#include "diffuse/base/build_info.hpp"
#include "support/program_folder.hpp"
#include "support/temp_dir.hpp"

namespace diffuse::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(CudaModule, BuildInfoTellsWhetherThereIsOne) {
  EXPECT_EQ(build_info().cuda_module, DIFFUSE_CUDA_MODULE != 0);
}

TEST(CudaModule, TableIsWhole) {
  if (!build_info().cuda_module) {
    GTEST_SKIP() << "built without the CUDA module";
  }
  const Module module = open_module_in(testing::module_folder().string());
  ASSERT_NE(module.table, nullptr) << module.problem;
  EXPECT_TRUE(module.problem.empty());
  EXPECT_EQ(module.table->libtorch_version, build_info().libtorch_version);
  for (const TableCall& call : table_calls(*module.table)) EXPECT_TRUE(call.is_there) << call.name;
}

TEST(CudaModule, CountsNoDeviceWithoutADriverAndSaysWhy) {
  if (!build_info().cuda_module || driver_present()) {
    GTEST_SKIP() << "needs the CUDA module and no driver";
  }
  const Module module = open_module_in(testing::module_folder().string());
  ASSERT_NE(module.table, nullptr) << module.problem;
  const DeviceCount devices = module.table->device_count();
  EXPECT_EQ(devices.count, 0);
  EXPECT_THAT(devices.problem, HasSubstr("CUDA says: "));
}

TEST(CudaModule, MissingFile) {
  const testing::TempDir folder;
  const Module module = open_module_in(folder.path().string());
  EXPECT_EQ(module.table, nullptr);
  EXPECT_THAT(module.problem, AllOf(HasSubstr("the CUDA module cannot be loaded"),
                                    HasSubstr((folder.path() / "libdiffuse_cuda.so").string())));
}

TEST(CudaModule, DamagedFile) {
  const testing::TempDir folder;
  folder.write("libdiffuse_cuda.so", "not a library");
  const Module module = open_module_in(folder.path().string());
  EXPECT_EQ(module.table, nullptr);
  EXPECT_THAT(module.problem, HasSubstr("the CUDA module cannot be loaded"));
}

TEST(CudaModule, LibraryOfSomethingElse) {
  const Module module = open_module_in((testing::program_folder() / "foreign").string());
  EXPECT_EQ(module.table, nullptr);
  EXPECT_THAT(module.problem, HasSubstr("is not a CUDA module of diffuse"));
}

TEST(CudaModule, LeftoverOfAnotherBuild) {
  const Module module = open_module_in((testing::program_folder() / "stale").string());
  EXPECT_EQ(module.table, nullptr);
  EXPECT_THAT(module.problem,
              AllOf(HasSubstr("belongs to another build"), HasSubstr("build it again")));
}

}  // namespace
}  // namespace diffuse::cuda
