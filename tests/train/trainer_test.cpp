#include "diffuse/train/trainer.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "diffuse/base/error.hpp"
#include "support/fake_classifier.hpp"
#include "support/temp_dir.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::checkpoint_names;
using testing::FakeClassifier;
using testing::kVocabSize;
using testing::metrics_lines;
using testing::separable_rows;
using testing::short_run;
using testing::TempDir;
using testing::three_classes;
using testing::training_data;

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

TEST(Trainer, ASmallBatchIsComputedByOneThread) {
  const TempDir dir;
  FakeClassifier classifier(kVocabSize, 3);
  classifier.small_up_to = 8;  // the last batch of an epoch
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  std::vector<int> threads;
  classifier.on_forward = [&](const ForwardContext& context) {
    if (context.training) threads.push_back(at::get_num_threads());
  };
  Config config = short_run();
  config.train.length = "1e";
  train(config, three_classes(), classifier, dir.path());
  std::vector<int> expected(13, 3);
  expected.back() = 1;
  EXPECT_EQ(threads, expected);
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
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
    config.train.length = "20e";
    // One update an epoch, of all rows: whatever their order is, it is the same update.
    train(config,
          training_data(separable_rows(40, 3, 1), separable_rows(60, 3, 2), {"a", "b", "c"}),
          *classifier, dir.path());
    return std::pair(classifier->parameters()[0].tensor.detach().clone(),
                     metrics_lines(dir.path(), "epoch").back());
  };
  const auto whole = trained(40, 1);
  const auto parts = trained(16, 3);  // 16, 16 and 8
  EXPECT_EQ(whole.second.at("update"), 20);
  EXPECT_EQ(parts.second.at("update"), 20);
  EXPECT_NEAR(parts.second.at("train_loss"), whole.second.at("train_loss"), 1e-4);
  EXPECT_LT(parts.first.sub(whole.first).abs().max().item<float>(), 1e-3);
  EXPECT_GT(whole.first.abs().max().item<float>(), 0.5) << "it learned";
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
