#include "../../src/train/divergence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../../src/train/divergence_text.hpp"

namespace diffuse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A monitor that has seen 200 losses around 1.
DivergenceMonitor settled_monitor() {
  DivergenceMonitor monitor;
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(monitor.note(i % 2 == 0 ? 0.9 : 1.1, 1, false).has_value());
  }
  return monitor;
}

TEST(DivergenceMonitor, StopsAtALossOrGradientThatIsNotFinite) {
  EXPECT_EQ(DivergenceMonitor().note(std::nan(""), 1, false), "the loss is nan");
  EXPECT_EQ(DivergenceMonitor().note(kInfinity, 1, true), "the loss is inf");
  EXPECT_EQ(DivergenceMonitor().note(1, kInfinity, false), "the gradient norm is inf");
  EXPECT_FALSE(DivergenceMonitor().note(1, kInfinity, true).has_value());
}

TEST(DivergenceMonitor, StopsAfterManyLossesFarAboveTheRecentOnes) {
  DivergenceMonitor monitor = settled_monitor();
  for (int i = 1; i < DivergenceMonitor::kPatience; ++i) {
    ASSERT_FALSE(monitor.note(3, 1, false).has_value()) << i;
  }
  EXPECT_EQ(monitor.note(3, 1, false),
            "the loss has been far above its recent mean of 1 for 100 updates");
}

TEST(DivergenceMonitor, OneThatWasRestoredGoesOnJudging) {
  DivergenceMonitor before = settled_monitor();
  for (int i = 1; i < DivergenceMonitor::kPatience - 1; ++i) before.note(3, 1, false);
  DivergenceMonitor monitor;
  monitor.restore(before.recent());
  EXPECT_FALSE(monitor.note(3, 1, false).has_value());
  EXPECT_EQ(monitor.note(3, 1, false),
            "the loss has been far above its recent mean of 1 for 100 updates");
}

TEST(DivergenceMonitor, AGoodLossInBetweenStartsTheCountAnew) {
  DivergenceMonitor monitor = settled_monitor();
  for (int i = 1; i < 5 * DivergenceMonitor::kPatience; ++i) {
    ASSERT_FALSE(monitor.note(i % 50 == 0 ? 1 : 3, 1, false).has_value()) << i;
  }
}

TEST(DivergenceMonitor, ALossThatIsAsNoisyAsBeforeIsNoDivergence) {
  DivergenceMonitor monitor;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_FALSE(monitor.note(i % 2 == 0 ? 0.01 : 2, 1, false).has_value()) << i;
  }
}

TEST(DivergenceMonitor, ARisingLossWithinTwiceItsMeanIsNoDivergence) {
  DivergenceMonitor monitor = settled_monitor();
  for (int i = 0; i < 300; ++i) ASSERT_FALSE(monitor.note(1.9, 1, false).has_value()) << i;
}

TEST(DivergenceMonitor, TheFirstLossesAreNotJudged) {
  DivergenceMonitor monitor;
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(monitor.note(1, 1, false).has_value());
  for (int i = 0; i < 300; ++i) ASSERT_FALSE(monitor.note(100, 1, false).has_value()) << i;
}

TEST(DivergenceMonitor, StopsWhenEveryUpdateIsSkipped) {
  DivergenceMonitor monitor;
  for (int i = 1; i < DivergenceMonitor::kPatience; ++i) {
    ASSERT_FALSE(monitor.note(1, 0, true).has_value()) << i;
  }
  EXPECT_EQ(monitor.note(1, 0, true), "the gradients overflowed float16 in 100 updates in a row");
}

TEST(DivergenceText, NamesFiguresRowsAndWhatToChange) {
  Config config;
  config.data.train = "/data/train.csv";
  const Divergence divergence{.what = "the loss is nan",
                              .update = 7,
                              .loss = std::nan(""),
                              .learning_rate = 0.5,
                              .gradient_norm = std::nan(""),
                              .last_finite_norm = 2.5,
                              .loss_scale = 1024};
  const std::vector<std::uint64_t> rows = {3, 1, 4, 15, 9, 2, 6, 5, 35, 8};
  EXPECT_EQ(
      divergence_text(divergence, config, rows, "runs/a/checkpoints/000005"),
      "Training diverged at update 7: the loss is nan (loss nan, learning rate 0.5, gradient norm "
      "nan, last finite one 2.5, loss scale 1024).\n"
      "Its batch: rows 3, 1, 4, 15, 9, 2, 6, 5 and 2 more (all in metrics.jsonl) of "
      "/data/train.csv.\n"
      "Lower train.learning_rate (0.003), lengthen train.warmup (\"auto\") or set a smaller "
      "train.clip_norm (1), or choose train.precision = bf16 or fp32, in a new run: a resumed "
      "one keeps these.\n"
      "The last good checkpoint is runs/a/checkpoints/000005.");
  config.train.clip_norm = 0;
  const std::vector<std::uint64_t> one = {3};
  const std::string text = divergence_text({.what = "the loss is inf"}, config, one, "");
  EXPECT_NE(text.find("Its batch: row 3 of /data/train.csv."), std::string::npos) << text;
  EXPECT_NE(text.find("train.clip_norm (0, which is off), in a new run"), std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("No checkpoint had been written yet.")) << text;
}

}  // namespace
}  // namespace diffuse
