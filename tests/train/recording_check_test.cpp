#include "../../src/train/recording_check.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "support/on_device.hpp"

namespace diffuse {
namespace {

class RecordingCheckOn : public testing::OnDevice {};

/// A replay that does nothing.
class Nothing final : public Recording {
  void replay() override {}
};

TEST_P(RecordingCheckOn, FindsWhatIsNotReplayed) {
  EXPECT_EQ(recording_problem(device_, record), "");
  const auto forgets = [](at::Device,
                          const std::function<void()>& work) -> std::unique_ptr<Recording> {
    work();
    return std::make_unique<Nothing>();
  };
  EXPECT_EQ(recording_problem(device_, forgets),
            "updates that were recorded give other weights than those launched one by one");
  EXPECT_NE(recording_that_works(device_), nullptr);
}

INSTANTIATE_TEST_SUITE_P(, RecordingCheckOn, testing::every_device(), testing::device_name);

}  // namespace
}  // namespace diffuse
