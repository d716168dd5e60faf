// Each function of the CUDA module's table, first in a process of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "cuda_table_calls.hpp"
#include "device/cuda_module.hpp"
#include "diffuse/base/child_process.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse::cuda {
namespace {

// Set in the process that a test starts: there it makes the call.
constexpr const char* kCallFirst = "DIFFUSE_TEST_CALL_FIRST";

class CudaTableFirst : public ::testing::TestWithParam<std::string> {};

TEST_P(CudaTableFirst, CanBeCalledInAFreshProcess) {
  if (std::getenv(kCallFirst) != nullptr) {
    ASSERT_NE(open_module().table, nullptr) << open_module().problem;
    const auto calls = table_calls(*open_module().table);
    std::find_if(calls.begin(), calls.end(), [](const TableCall& call) {
      return call.name == GetParam();
    })->call();
    return;
  }
  try {
    resolve_device("cuda");
  } catch (const SystemError& error) {
    GTEST_SKIP() << error.what();
  }
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  setenv(kCallFirst, "1", 1);
  const ChildOutcome outcome = run_child(
      own_program(),
      {std::string("--gtest_filter=") + info->test_suite_name() + "." + info->name()}, "");
  unsetenv(kCallFirst);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, ::testing::HasSubstr("[  PASSED  ] 1 test."));
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const TableCall& call : table_calls(Table{})) names.push_back(call.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Table, CudaTableFirst, ::testing::ValuesIn(function_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace diffuse::cuda
