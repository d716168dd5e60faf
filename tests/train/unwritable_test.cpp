// What a run does when its files cannot be written, and when it is asked for a checkpoint.

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

#include "diffuse/base/error.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/train/trainer.hpp"
#include "support/fake_classifier.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"
#include "train/training_fixture.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::FakeClassifier;
using ::testing::HasSubstr;
using testing::kVocabSize;
using ::testing::Not;
using testing::TempDir;

/// Three epochs of 13 updates on the CPU, an evaluation after each; every checkpoint is kept.
Config keeping_all() {
  Config config = testing::short_run();
  config.train.keep_checkpoints = 10;
  return config;
}

TrainingResult run(const fs::path& dir, const Config& config = keeping_all()) {
  FakeClassifier classifier(kVocabSize, 3);
  return train(config, testing::three_classes(), classifier, dir);
}

TEST(UnwritableCheckpoint, IsAWarningAndTheNextOneIsTried) {
  const TempDir dir;
  dir.write("checkpoints/000013", "a file where the folder would be");
  ::testing::internal::CaptureStderr();
  const TrainingResult result = run(dir.path());
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, AllOf(HasSubstr("warning: The checkpoint of update 13 was not written: "),
                          HasSubstr("cannot be replaced: Not a directory. The training goes on, "
                                    "without one so far")));
  EXPECT_EQ(result.updates, 39);
  EXPECT_TRUE(fs::is_regular_file(result.last_checkpoint / "state.json"));
  EXPECT_TRUE(fs::is_regular_file(result.best_checkpoint / "state.json")) << "not update 13";
  EXPECT_FALSE(testing::metrics_lines(dir.path(), "epoch")[0].at("best").get<bool>());
  EXPECT_TRUE(testing::metrics_lines(dir.path(), "epoch")[1].at("best").get<bool>());
}

TEST(UnwritableCheckpoint, AtTheEndIsAFailureThatNamesTheLastOne) {
  const TempDir dir;
  dir.write("checkpoints/000039", "a file");
  const std::string text = testing::message_of<SystemError>([&] { run(dir.path()); });
  EXPECT_THAT(text,
              AllOf(HasSubstr("The checkpoint at the end, of update 39, was not written: "),
                    HasSubstr("The last one is " + (dir.path() / "checkpoints/000026").string())));
  EXPECT_EQ(testing::metrics_lines(dir.path(), "done")[0].at("updates"), 39);
  EXPECT_TRUE(fs::exists(dir.path() / "checkpoints/last/state.json"));
}

TEST(CheckpointSignal, WritesOneAndGoesOn) {
  const TempDir dir;
  const Config config = keeping_all();
  FakeClassifier classifier(kVocabSize, 3);
  catch_checkpoint_signals();
  int calls = 0;
  classifier.on_forward = [&](const ForwardContext& context) {
    if (context.training && ++calls == 4) std::raise(SIGUSR1);
  };
  EXPECT_EQ(train(config, testing::three_classes(), classifier, dir.path()).updates, 39);
  EXPECT_EQ(testing::checkpoint_names(dir.path()),
            (std::vector<std::string>{"000004", "000013", "000026", "000039", "best", "last"}));
}

/// What stderr says when a run of `length` is gone on with to `longer`.
std::string told_at_resume(Schedule schedule, const char* length, const char* longer) {
  const TempDir dir;
  Config config = testing::short_run();
  config.train.schedule = schedule;
  config.train.length = length;
  run(dir.path(), config);
  config.train.length = longer;
  FakeClassifier classifier(kVocabSize, 3);
  ::testing::internal::CaptureStderr();
  train(config, testing::three_classes(), classifier, dir.path(), dir.path() / "checkpoints/last");
  return ::testing::internal::GetCapturedStderr();
}

TEST(LongerRun, SaysThatTheLearningRateStartsAnew) {
  EXPECT_THAT(told_at_resume(Schedule::linear, "20u", "40u"),
              HasSubstr("The learning rate starts anew: its schedule is laid over the new length, "
                        "so that the next update takes 0.05 where the run so far had come to 0."));
  EXPECT_THAT(told_at_resume(Schedule::constant, "20u", "40u"), Not(HasSubstr("starts anew")));
}

}  // namespace
}  // namespace diffuse
