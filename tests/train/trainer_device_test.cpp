// Training on each kind of device, in each precision.

#include <gtest/gtest.h>

#include <tuple>

#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/model/model_factory.hpp"
#include "diffuse/train/trainer.hpp"
#include "support/temp_dir.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::metrics_lines;
using testing::TempDir;

TrainingResult run_real_model(const Config& config, const fs::path& dir,
                              const std::optional<fs::path>& from = {}) {
  const auto classifier = make_classifier(config, {256 + 8, 3, 0}, config.train.seed);
  return train(config, testing::three_classes(), *classifier, dir, from);
}

using DeviceCase = std::tuple<const char*, Precision>;

class TrainerOn : public ::testing::TestWithParam<DeviceCase> {
 protected:
  void SetUp() override {
    try {
      resolve_device(std::get<0>(GetParam()));
    } catch (const SystemError& error) {
      GTEST_SKIP() << error.what();
    }
    config_ = testing::short_run();
    config_.model.dim = 16;
    config_.train.device = std::get<0>(GetParam());
    config_.train.precision = std::get<1>(GetParam());
    config_.train.learning_rate = 0.02;
    config_.train.ema_decay = 0.9;
    config_.train.accumulate = 2;
  }

  Config config_;
};

TEST_P(TrainerOn, LearnsAndTellsItsFigures) {
  const TempDir dir;
  const TrainingResult result = run_real_model(config_, dir.path());
  EXPECT_GT(result.best_accuracy, 0.9);
  // Near the same training in float32 on the CPU, random numbers apart.
  Config exact = config_;
  exact.train.device = "cpu";
  exact.train.precision = Precision::fp32;
  const TempDir other;
  run_real_model(exact, other.path());
  const auto first = metrics_lines(dir.path(), "epoch").at(0);
  const auto expected = metrics_lines(other.path(), "epoch").at(0);
  EXPECT_NEAR(first.at("train_loss"), expected.at("train_loss"), 0.1);
  EXPECT_GT(first.at("peak_memory_bytes").at("host_rss"), 0);
  if (config_.train.device == "cuda") {
    EXPECT_GT(first.at("peak_memory_bytes").at("device_allocated"), 0);
  }
}

TEST_P(TrainerOn, GoesOnWhereItStopped) {
  const TempDir dir;
  config_.train.max_updates = 7;
  ASSERT_EQ(run_real_model(config_, dir.path()).updates, 7);
  config_.train.max_updates = 0;
  const TrainingResult result =
      run_real_model(config_, dir.path(), dir.path() / "checkpoints/last");
  EXPECT_FALSE(result.was_finished);
  EXPECT_GT(result.updates, 7);
  EXPECT_GT(result.best_accuracy, 0.9);
}

INSTANTIATE_TEST_SUITE_P(Devices, TrainerOn,
                         ::testing::Combine(::testing::Values("cpu", "cuda"),
                                            ::testing::Values(Precision::fp32, Precision::bf16,
                                                              Precision::fp16)),
                         [](const auto& suite) {
                           const Precision precision = std::get<1>(suite.param);
                           return std::string(std::get<0>(suite.param)) +
                                  (precision == Precision::fp32   ? "_fp32"
                                   : precision == Precision::bf16 ? "_bf16"
                                                                  : "_fp16");
                         });

}  // namespace
}  // namespace diffuse
