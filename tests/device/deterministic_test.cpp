#include "diffuse/device/deterministic.hpp"

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace diffuse {
namespace {

TEST(Deterministic, WhileItLivesLibTorchTakesWhatAddsInOneOrderAndWarnsOfNothingElse) {
  at::Context& context = at::globalContext();
  ASSERT_FALSE(context.deterministicAlgorithms());
  const bool filled = context.deterministicFillUninitializedMemory();
  ::testing::internal::CaptureStderr();
  {
    const DeterministicScope scope(true);
    EXPECT_TRUE(context.deterministicAlgorithms());
    EXPECT_FALSE(context.deterministicFillUninitializedMemory());
    // What an operation without such a form does: an error, but for the scope.
    EXPECT_NO_THROW(at::Context::alertNotDeterministic("an_operation"));
    TORCH_WARN("something else");
  }
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(told.find("an_operation"), std::string::npos) << told;
  EXPECT_NE(told.find("something else"), std::string::npos) << told;
  EXPECT_FALSE(context.deterministicAlgorithms());
  EXPECT_EQ(context.deterministicFillUninitializedMemory(), filled);
}

TEST(Deterministic, ProductsHaveAWorkspaceOfOneSizeUnlessAnotherOneIsAskedFor) {
  const char* variable = "CUBLAS_WORKSPACE_CONFIG";
  unsetenv(variable);
  pin_product_workspace();
  EXPECT_STREQ(getenv(variable), ":4096:8");
  setenv(variable, ":16:8", 1);
  pin_product_workspace();
  EXPECT_STREQ(getenv(variable), ":16:8");
  unsetenv(variable);
}

TEST(Deterministic, WithoutAWishNothingChanges) {
  const DeterministicScope scope(false);
  EXPECT_FALSE(at::globalContext().deterministicAlgorithms());
}

}  // namespace
}  // namespace diffuse
