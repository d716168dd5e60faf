#include "diffuse/train/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include "diffuse/base/error.hpp"
#include "diffuse/base/signals.hpp"
#include "support/fake_classifier.hpp"
#include "support/temp_dir.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::FakeClassifier;
using testing::kVocabSize;
using testing::metrics_lines;
using testing::separable_rows;
using testing::short_run;
using testing::TempDir;
using testing::training_data;

// 13 updates an epoch: twelve of 16 rows and one of 8.
TrainingData three_classes() {
  return training_data(separable_rows(200, 3, 1), separable_rows(60, 3, 2), {"a", "b", "c"});
}

/// Validation rows with the other label: every update makes it worse.
TrainingData contrary_validation() {
  auto validation = std::make_unique<EncodedDataset>();
  for (std::int32_t label : {0, 1})
    validation->append(std::vector<std::int32_t>{label, label}, 1 - label, 1);
  return training_data(separable_rows(64, 2, 1), std::move(validation), {"a", "b"});
}

std::vector<std::string> checkpoint_names(const fs::path& run_dir) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run_dir / "checkpoints"))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string training_error(const Config& config, FakeClassifier& classifier, const fs::path& dir) {
  try {
    train(config, three_classes(), classifier, dir);
  } catch (const TrainingError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Trainer, LearnsASeparableSet) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  const TrainingResult result = train(short_run(), three_classes(), classifier, dir.path());
  EXPECT_EQ(result.updates, 39);
  EXPECT_EQ(result.best_accuracy, 1);
  EXPECT_FALSE(result.stopped_early);
  EXPECT_EQ(result.stopped_by_signal, 0);
  EXPECT_TRUE(fs::exists(result.best_checkpoint / "model.safetensors"));
}

TEST(Trainer, OverfitsATinySet) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  Config config = short_run();
  config.train.length = "300u";
  config.train.evaluate_every = "300u";
  config.train.learning_rate = 1;
  config.train.clip_norm = 0;
  train(config, training_data(separable_rows(4, 2, 1), nullptr, {"a", "b"}), classifier,
        dir.path());
  EXPECT_LT(metrics_lines(dir.path(), "train").back().at("loss"), 1e-3);
}

TEST(Trainer, WritesMetricsAsJsonLines) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.warmup = "10u";
  const TrainingResult result = train(config, three_classes(), classifier, dir.path());

  const auto reports = metrics_lines(dir.path(), "train");
  ASSERT_EQ(reports.size(), 10U);  // every 5 of 39 updates, and at the end of each epoch of 13
  EXPECT_EQ(reports[0].at("update"), 5);
  EXPECT_NEAR(reports[0].at("epoch"), 5.0 / 13, 1e-12);
  EXPECT_NEAR(reports[0].at("lr"), 0.05, 1e-12);
  EXPECT_NEAR(reports[9].at("lr"), 0.1, 1e-12);
  EXPECT_GT(reports[0].at("grad_norm"), 0);
  EXPECT_GT(reports[0].at("tokens_per_s"), 0);
  // The mean of one example, near log(3) at the start: not a sum.
  EXPECT_NEAR(reports[0].at("loss"), 1.09, 0.1);
  EXPECT_LT(reports[9].at("loss"), reports[0].at("loss"));

  const auto periods = metrics_lines(dir.path(), "epoch");
  ASSERT_EQ(periods.size(), 3U);
  EXPECT_EQ(periods[2].at("update"), 39);
  EXPECT_EQ(periods[2].at("epoch"), 3.0);
  EXPECT_EQ(periods[2].at("validation_accuracy"), 1.0);
  EXPECT_GT(periods[2].at("train_accuracy"), periods[0].at("train_accuracy"));
  EXPECT_LT(periods[2].at("train_loss"), periods[0].at("train_loss"));
  for (const char* key : {"validation_loss", "validation_macro_f1", "validation_ece"})
    EXPECT_TRUE(periods[0].at(key).is_number()) << key;
  for (const char* key : {"data", "forward", "backward", "optimizer", "evaluation"})
    EXPECT_GT(periods[0].at("time_s").at(key), 0) << key;
  EXPECT_GT(periods[0].at("peak_memory_bytes").at("host_rss"), 1'000'000);
  EXPECT_EQ(periods[0].at("peak_memory_bytes").at("device_allocated"), 0);

  const auto done = metrics_lines(dir.path(), "done");
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].at("updates"), 39);
  EXPECT_EQ(done[0].at("best_accuracy"), result.best_accuracy);
  EXPECT_EQ(done[0].at("best_update"), result.best_update);
}

TEST(Trainer, TheSameSeedGivesTheSameBytes) {
  const auto model_bytes = [](std::int64_t seed) {
    const TempDir dir;
    FakeClassifier classifier(kVocabSize, 3);
    Config config = short_run();
    config.train.seed = seed;
    config.train.ema_decay = 0.9;
    train(config, three_classes(), classifier, dir.path());
    return read_file(dir.path() / "checkpoints/last/model.safetensors");
  };
  EXPECT_EQ(model_bytes(1), model_bytes(1));
  EXPECT_NE(model_bytes(1), model_bytes(2));
}

TEST(Trainer, TrainsInTrainingModeWithAGenerator) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  int training_calls = 0;
  classifier.on_forward = [&](const ForwardContext& context) {
    if (!context.training) return;
    ++training_calls;
    EXPECT_TRUE(context.generator.defined());
  };
  train(short_run(), three_classes(), classifier, dir.path());
  EXPECT_EQ(training_calls, 39);
}

TEST(Trainer, SaysHowItBegan) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  train(short_run(), three_classes(), classifier, dir.path());
  const auto start = metrics_lines(dir.path(), "start");
  ASSERT_EQ(start.size(), 1U);
  EXPECT_EQ(start[0].at("update"), 0);
  EXPECT_EQ(start[0].at("total_updates"), 39);
  EXPECT_EQ(start[0].at("updates_per_epoch"), 13);
  EXPECT_EQ(start[0].at("device"), "cpu");
  EXPECT_EQ(start[0].at("precision"), "fp32");
  EXPECT_EQ(start[0].at("parameter_count"), kVocabSize * 3 + 3);
}

TEST(Trainer, AccumulatedBatchesMakeTheUpdateOfOneLargeBatch) {
  const auto trained = [](std::int64_t batch_size, std::int64_t accumulate) {
    const TempDir dir;
    auto classifier = std::make_unique<FakeClassifier>(kVocabSize, 3);
    Config config = short_run();
    config.train.sort_window = 0;
    config.train.batch_size = batch_size;
    config.train.accumulate = accumulate;
    train(config, three_classes(), *classifier, dir.path());
    return std::pair(classifier->parameters()[0].tensor.detach().clone(),
                     metrics_lines(dir.path(), "epoch").back());
  };
  // Epochs of the same row order, cut into 7 updates of 32 rows, the last of 8.
  const auto whole = trained(32, 1);
  const auto parts = trained(16, 2);
  EXPECT_EQ(whole.second.at("update"), 21);
  EXPECT_EQ(parts.second.at("update"), 21);
  EXPECT_NEAR(parts.second.at("train_loss"), whole.second.at("train_loss"), 0.02);
}

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

TEST(Trainer, ABatchCanBeOverfit) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  Config config = short_run();
  config.train.length = "200u";
  config.train.learning_rate = 1;
  config.train.overfit_batch = true;
  train(config, three_classes(), classifier, dir.path());
  EXPECT_LT(metrics_lines(dir.path(), "train").back().at("loss"), 1e-3);
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
  EXPECT_EQ(checkpoint_names(dir.path()), (std::vector<std::string>{"000016", "000020", "last"}));
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
  EXPECT_FALSE(fs::exists(dir.path() / "checkpoints/best"));
  EXPECT_FALSE(metrics_lines(dir.path(), "epoch")[0].contains("validation_accuracy"));
  EXPECT_EQ(metrics_lines(dir.path(), "done")[0].at("best_accuracy"), nullptr);
}

TEST(Trainer, ALossThatIsNotFiniteNamesTheUpdateAndTheLastGoodCheckpoint) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  classifier.nan_at_call = 7;
  Config config = short_run();
  config.train.evaluate_every = "5u";
  const std::string message = training_error(config, classifier, dir.path());
  EXPECT_TRUE(
      message.starts_with("Training diverged at update 7: the loss is nan (loss nan, learning rate "
                          "0.1, gradient norm nan, last finite one"))
      << message;
  EXPECT_TRUE(message.ends_with("The last good checkpoint is " +
                                (dir.path() / "checkpoints/000005").string() + "."))
      << message;
  const auto lines = metrics_lines(dir.path(), "diverged");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("update"), 7);
  EXPECT_EQ(lines[0].at("loss"), nullptr);
  EXPECT_EQ(lines[0].at("rows").size(), 16U);
  EXPECT_EQ(checkpoint_names(dir.path()), (std::vector<std::string>{"000005", "best", "last"}));
}

TEST(Trainer, DivergingBeforeTheFirstCheckpointSaysSo) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  classifier.nan_at_call = 1;
  const std::string message = training_error(short_run(), classifier, dir.path());
  EXPECT_TRUE(message.ends_with("No checkpoint had been written yet.")) << message;
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

TEST(Trainer, RefusesAnEmptyTrainingSet) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 2);
  try {
    train(short_run(), training_data(std::make_unique<EncodedDataset>(), nullptr, {"a", "b"}),
          classifier, dir.path());
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "There are no training rows (data.train).");
  }
}

}  // namespace
}  // namespace diffuse
