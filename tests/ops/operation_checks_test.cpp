#include "diffuse/ops/dispatched/operation_checks.hpp"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "support/on_device.hpp"

namespace diffuse {
namespace {

class OperationChecksOn : public testing::OnDevice {};

TEST_P(OperationChecksOn, EveryOperationIsAsItShouldBe) {
  std::set<std::string> types;
  for (const OperationCheck& check : check_operations(device_, CheckExtent::full)) {
    EXPECT_TRUE(check.good()) << check.operation << ", " << check.type << ", " << check.batch
                              << ": " << check.error << " > " << check.allowed;
    types.insert(check.type);
  }
  EXPECT_EQ(types.size(), 4U);
}

TEST_P(OperationChecksOn, NoProblemIsFoundWhereTheyAreRight) {
  EXPECT_EQ(operations_problem(device_), "");
}

TEST(OperationChecks, ADeviceWithoutKernelsIsAProblem) {
  EXPECT_NE(operations_problem(at::kMeta), "");
  EXPECT_EQ(operations_problem(at::kMeta).find('\n'), std::string::npos);
}

TEST(OperationChecks, TellWhatIsOff) {
  const at::Tensor wanted = at::tensor({1.0, -4.0});
  const OperationCheck off = check_of("x", at::tensor({1.0, -4.1}), wanted, 1e-2);
  EXPECT_NEAR(off.error, 0.025, 1e-12);  // of the largest element
  EXPECT_FALSE(off.good());
  EXPECT_TRUE(check_of("x", at::tensor({1.0, -4.01}), wanted, 1e-2).good());
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(check_of("x", at::tensor({1.0, none}), wanted, 1e-2).good());
}

INSTANTIATE_TEST_SUITE_P(, OperationChecksOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
