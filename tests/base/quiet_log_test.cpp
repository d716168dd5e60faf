#include "diffuse/base/quiet_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(QuietLog, LetsErrorsAloneThroughWhileItLives) {
  ::testing::internal::CaptureStderr();
  {
    const log::QuietLog quiet;
    log::info("a line of detail");
    log::warning("a small matter");
    log::error("a great one");
  }
  log::info("afterwards");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("a great one"), HasSubstr("afterwards"),
                    Not(HasSubstr("a line of detail")), Not(HasSubstr("a small matter"))));
}

TEST(QuietLog, LeavesDebugAndOffAsTheyAre) {
  log::set_level(log::Level::debug);
  ::testing::internal::CaptureStderr();
  {
    const log::QuietLog quiet;
    log::info("asked for");
  }
  log::set_level(log::Level::off);
  {
    const log::QuietLog quiet;
    log::error("not asked for");
  }
  log::error("nor this");
  log::set_level(log::Level::info);
  EXPECT_THAT(
      ::testing::internal::GetCapturedStderr(),
      AllOf(HasSubstr("asked for"), Not(HasSubstr("not asked for")), Not(HasSubstr("nor this"))));
}

}  // namespace
}  // namespace diffuse
