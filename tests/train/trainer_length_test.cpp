// When a run evaluates, saves and ends.

#include <gtest/gtest.h>

#include <csignal>

#include "diffuse/base/signals.hpp"
#include "diffuse/train/trainer.hpp"
#include "support/fake_classifier.hpp"
#include "support/temp_dir.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::checkpoint_names;
using testing::contrary_validation;
using testing::FakeClassifier;
using testing::kVocabSize;
using testing::metrics_lines;
using testing::separable_rows;
using testing::short_run;
using testing::TempDir;
using testing::three_classes;
using testing::training_data;

TEST(Trainer, MaxUpdatesStopsEarlier) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.max_updates = 17;
  const TrainingResult result = train(config, three_classes(), classifier, dir.path());
  EXPECT_EQ(result.updates, 17);
  EXPECT_EQ(metrics_lines(dir.path(), "epoch").back().at("update"), 17);
}

TEST(Trainer, MinutesEndTheRunWithAnEvaluation) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.length = "0.005m";  // 0.3 s
  config.train.schedule = Schedule::linear;
  config.train.log_every = 1;
  config.train.evaluate_every = "1000000u";
  config.train.max_updates = 1'000'000;
  const TrainingResult result = train(config, three_classes(), classifier, dir.path());
  EXPECT_GE(result.training_time_s, 0.3);
  EXPECT_GT(result.updates, 1);
  EXPECT_TRUE(metrics_lines(dir.path(), "epoch").back().contains("validation_accuracy"));
  const auto reports = metrics_lines(dir.path(), "train");
  EXPECT_NEAR(reports.front().at("lr"), 0.1, 0.05);
  EXPECT_LT(reports.back().at("lr"), reports.front().at("lr").get<double>() / 2);
  EXPECT_EQ(metrics_lines(dir.path(), "start")[0].at("total_updates"), nullptr);
}

TEST(Trainer, SavesCheckpointsBetweenEvaluations) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.length = "25u";
  config.train.evaluate_every = "100u";
  config.train.checkpoint_every = "10u";
  config.train.keep_checkpoints = 10;
  train(config, three_classes(), classifier, dir.path());
  EXPECT_EQ(checkpoint_names(dir.path()),
            (std::vector<std::string>{"000010", "000020", "000025", "best", "last"}));
}

TEST(Trainer, SavesCheckpointsByTheClock) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.length = "4u";
  config.train.evaluate_every = "100u";
  config.train.checkpoint_every = "0.0000001m";  // less than any update takes
  config.train.keep_checkpoints = 10;
  train(config, three_classes(), classifier, dir.path());
  EXPECT_EQ(checkpoint_names(dir.path()).size(), 6U);
}

TEST(Trainer, EvaluatesEverySoManyUpdatesAndAtTheEnd) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.length = "25u";
  config.train.evaluate_every = "10u";
  train(config, three_classes(), classifier, dir.path());
  const auto periods = metrics_lines(dir.path(), "epoch");
  ASSERT_EQ(periods.size(), 3U);
  EXPECT_EQ(periods[0].at("update"), 10);
  EXPECT_EQ(periods[1].at("update"), 20);
  EXPECT_EQ(periods[2].at("update"), 25);
}

TEST(Trainer, PatienceStopsAndTheBestCheckpointStays) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  Config config = short_run();
  config.train.length = "50e";
  config.train.patience = 3;
  config.train.keep_checkpoints = 1;
  const TrainingResult result = train(config, contrary_validation(), classifier, dir.path());
  EXPECT_TRUE(result.stopped_early);
  EXPECT_EQ(result.updates, 16);  // four epochs of four updates: one best, three without gain
  EXPECT_EQ(result.best_update, 4);
  EXPECT_EQ(checkpoint_names(dir.path()),
            (std::vector<std::string>{"000004", "000016", "best", "last"}));
  EXPECT_EQ(fs::read_symlink(dir.path() / "checkpoints/best"), "000004");
  EXPECT_EQ(fs::read_symlink(dir.path() / "checkpoints/last"), "000016");
  EXPECT_EQ(result.best_checkpoint, dir.path() / "checkpoints/000004");
  EXPECT_EQ(metrics_lines(dir.path(), "done")[0].at("stopped_early"), true);
}

TEST(Trainer, WithoutPatienceItGoesOn) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  Config config = short_run();
  config.train.length = "6e";
  const TrainingResult result = train(config, contrary_validation(), classifier, dir.path());
  EXPECT_FALSE(result.stopped_early);
  EXPECT_EQ(result.updates, 24);
}

TEST(Trainer, KeepsTheNewestCheckpoints) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  Config config = short_run();
  config.train.length = "5e";
  config.train.keep_checkpoints = 2;
  train(config, training_data(separable_rows(64, 2, 1), nullptr, {"a", "b"}), classifier,
        dir.path());
  EXPECT_EQ(checkpoint_names(dir.path()),
            (std::vector<std::string>{"000016", "000020", "best", "last"}));
}

TEST(Trainer, WithoutValidationTheLastCheckpointIsTheResult) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  Config config = short_run();
  config.train.patience = 1;  // has nothing to judge by
  const TrainingResult result = train(
      config, training_data(separable_rows(64, 2, 1), nullptr, {"a", "b"}), classifier, dir.path());
  EXPECT_EQ(result.updates, 12);
  EXPECT_EQ(result.best_update, 0);
  EXPECT_EQ(result.best_checkpoint, dir.path() / "checkpoints/000012");
  EXPECT_EQ(fs::read_symlink(dir.path() / "checkpoints/best"), "000012");
  EXPECT_FALSE(metrics_lines(dir.path(), "epoch")[0].contains("validation_accuracy"));
  EXPECT_EQ(metrics_lines(dir.path(), "done")[0].at("best_accuracy"), nullptr);
}

TEST(Trainer, ASignalEndsTheRunWithACheckpoint) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  catch_stop_signals();
  int calls = 0;
  classifier.on_forward = [&](const ForwardContext&) {
    if (++calls == 6) std::raise(SIGTERM);
  };
  const TrainingResult result = train(short_run(), three_classes(), classifier, dir.path());
  clear_stop_signal();
  EXPECT_EQ(result.stopped_by_signal, SIGTERM);
  EXPECT_EQ(result.updates, 6);
  EXPECT_EQ(result.best_checkpoint, dir.path() / "checkpoints/000006");
  const auto state = nlohmann::json::parse(read_file(dir.path() / "checkpoints/last/state.json"));
  EXPECT_EQ(state.at("update"), 6);
  EXPECT_EQ(state.at("epoch"), 0);
  EXPECT_EQ(state.at("position"), 6);
  EXPECT_EQ(state.at("best"), nullptr);
  EXPECT_EQ(metrics_lines(dir.path(), "done")[0].at("stopped_by_signal"), SIGTERM);
}

TEST(Trainer, ASignalDuringValidationEndsItAtOnce) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  catch_stop_signals();
  int evaluations = 0;
  classifier.on_forward = [&](const ForwardContext& context) {
    if (!context.training && ++evaluations == 1) std::raise(SIGINT);
  };
  Config config = short_run();
  config.train.evaluate_every = "5u";
  const TrainingResult result = train(config, three_classes(), classifier, dir.path());
  clear_stop_signal();
  EXPECT_EQ(result.stopped_by_signal, SIGINT);
  EXPECT_EQ(result.updates, 5);
  const auto state = nlohmann::json::parse(read_file(dir.path() / "checkpoints/last/state.json"));
  EXPECT_EQ(state.at("update"), 5);
  EXPECT_EQ(state.at("best"), nullptr);  // half an evaluation chooses nothing
  EXPECT_EQ(state.at("evaluation_due"), true);
  EXPECT_TRUE(metrics_lines(dir.path(), "epoch").empty());
}

TEST(Trainer, ALengthOfZeroSavesTheUntrainedModel) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.length = "0e";
  const TrainingResult result = train(config, three_classes(), classifier, dir.path());
  EXPECT_EQ(result.updates, 0);
  EXPECT_NEAR(result.best_accuracy, 1.0 / 3, 1e-9);
  EXPECT_EQ(metrics_lines(dir.path(), "epoch")[0].at("train_loss"), nullptr);
  EXPECT_TRUE(fs::exists(dir.path() / "checkpoints/best/model.safetensors"));
}

}  // namespace
}  // namespace diffuse
