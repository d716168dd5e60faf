// Going on with a run gives, bit for bit, what the run would have given without the stop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/eval/evaluator.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/model_factory.hpp"
#include "resumed_run.hpp"
#include "support/fake_classifier.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using testing::add_bigrams;
using testing::even_epochs;
using testing::FakeClassifier;
using testing::full_run;
using ::testing::HasSubstr;
using testing::kVocabSize;
using testing::metrics_lines;
using testing::TempDir;
using testing::train_in;

std::string state_without_time(const fs::path& folder) {
  auto json = nlohmann::json::parse(read_file(folder / "state.json"));
  json.erase("elapsed_s");
  return json.dump();
}

void expect_equal_checkpoints(const fs::path& a, const fs::path& b) {
  for (const char* file : {"model.safetensors", "optimizer.safetensors"})
    EXPECT_TRUE(read_file(a / file) == read_file(b / file)) << file << " of " << b;
  EXPECT_EQ(state_without_time(a), state_without_time(b));
}

/// Raises SIGTERM in its training call number `calls`.
class StoppingClassifier final : public Classifier {
 public:
  StoppingClassifier(Classifier& inner, int calls) : inner_(inner), left_(calls) {}
  at::Tensor forward(const Batch& batch, const ForwardContext& context) override {
    const bool again = context.embeddings != nullptr && context.embeddings->step.defined();
    if (context.training && !again && --left_ == 0) std::raise(SIGTERM);
    return inner_.forward(batch, context);
  }
  std::vector<NamedParameter> parameters() const override { return inner_.parameters(); }
  void to(at::Device device) override { inner_.to(device); }
  at::Device device() const override { return inner_.device(); }
  bool is_small(const Batch& batch) const override { return inner_.is_small(batch); }
  void use_kernel(Kernel kernel, Precision precision) override {
    inner_.use_kernel(kernel, precision);
  }
  Kernel kernel() const override { return inner_.kernel(); }
  bool is_recordable() const override { return inner_.is_recordable(); }
  std::optional<PassFigures> train_pass(const Batch& batch, const ForwardContext& context,
                                        const PassOptions& options) override {
    if (is_fused() && --left_ == 0) std::raise(SIGTERM);
    return inner_.train_pass(batch, context, options);
  }
  std::vector<RowGradient> row_gradients() override { return inner_.row_gradients(); }
  std::vector<std::vector<std::int32_t>> embedding_rows(const Batch& batch) const override {
    return inner_.embedding_rows(batch);
  }

 private:
  Classifier& inner_;
  int left_;
};

struct Case {
  const char* name;
  double ema_decay;
  std::int64_t accumulate;
  Precision precision;
  Kernel kernel = Kernel::automatic;
  EmbeddingUpdate update = EmbeddingUpdate::touched;
  bool bigrams = false;  // and the adversarial step
};

class Resume : public ::testing::TestWithParam<Case> {};

TEST_P(Resume, AfterASignalGivesTheBytesOfAnUnbrokenRun) {
  Config config = full_run();
  config.train.ema_decay = GetParam().ema_decay;
  config.train.accumulate = GetParam().accumulate;
  config.train.precision = GetParam().precision;
  config.train.kernel = GetParam().kernel;
  config.train.embedding_update = GetParam().update;
  if (GetParam().bigrams) add_bigrams(config);
  const TempDir whole;
  train_in(config, whole.path());
  catch_stop_signals();
  for (const int stop : {0, 1, 7, 8, 9, 20, 29}) {  // an evaluation is due after 8
    const TempDir parts;
    const auto classifier = make_classifier(config, {256 + 8, 3, 0}, config.train.seed);
    StoppingClassifier stopping(*classifier, stop * static_cast<int>(config.train.accumulate));
    if (stop == 0) std::raise(SIGTERM);
    EXPECT_EQ(train(config, even_epochs(), stopping, parts.path()).updates, stop);
    clear_stop_signal();
    train_in(config, parts.path(), parts.path() / "checkpoints/last");
    expect_equal_checkpoints(whole.path() / "checkpoints/000030",
                             parts.path() / "checkpoints/000030");
    EXPECT_EQ(fs::read_symlink(whole.path() / "checkpoints/best"),
              fs::read_symlink(parts.path() / "checkpoints/best"))
        << stop;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Resume,
    ::testing::Values(
        Case{"plain", 0, 1, Precision::fp32}, Case{"average", 0.9, 1, Precision::fp32},
        Case{"accumulation", 0.9, 2, Precision::fp32},
        Case{"dense", 0.9, 2, Precision::fp32, Kernel::fused, EmbeddingUpdate::dense},
        Case{"reference", 0.9, 2, Precision::fp32, Kernel::reference},
        Case{"operations", 0.9, 2, Precision::fp32, Kernel::operations},
        Case{"recorded", 0.9, 1, Precision::fp32, Kernel::operations},
        Case{"bf16", 0, 1, Precision::bf16}, Case{"everything", 0.9, 2, Precision::fp16},
        Case{"bigrams", 0.9, 2, Precision::fp32, Kernel::fused, EmbeddingUpdate::touched, true},
        Case{"recorded_bigrams", 0.9, 1, Precision::fp32, Kernel::operations,
             EmbeddingUpdate::touched, true},
        Case{"recorded_plain", 0, 1, Precision::fp32, Kernel::operations},
        Case{"bigrams_plain", 0, 1, Precision::fp32, Kernel::fused, EmbeddingUpdate::touched, true},
        Case{"bigrams_dense", 0.9, 1, Precision::fp32, Kernel::fused, EmbeddingUpdate::dense, true},
        Case{"bigrams_reference", 0.9, 2, Precision::fp32, Kernel::reference,
             EmbeddingUpdate::touched, true},
        Case{"bigrams_fp16", 0.9, 1, Precision::fp16, Kernel::automatic, EmbeddingUpdate::touched,
             true}),
    [](const auto& suite) { return suite.param.name; });

TEST(ResumeRun, TheCheckpointHoldsTheModelThatWasEvaluated) {
  for (const double ema_decay : {0.0, 0.9}) {
    const TempDir dir;
    Config config = full_run();
    add_bigrams(config);
    config.train.ema_decay = ema_decay;
    train_in(config, dir.path());
    const auto model = make_classifier(config, {256 + 8, 3, 0}, {});
    std::vector<std::pair<std::string, at::Tensor>> weights;
    for (const NamedParameter& p : model->parameters()) weights.emplace_back(p.name, p.tensor);
    load_tensors(dir.path() / "checkpoints/000030/model.safetensors", weights);
    ASSERT_EQ(weights[1].first, "embedding.bigrams");
    EXPECT_GT(weights[1].second.abs().max().item<float>(), 0.01F);
    const TrainingData data = even_epochs();
    const Evaluation found = evaluate(*model, data.validation, {.class_count = 3});
    EXPECT_NEAR(metrics_lines(dir.path(), "epoch").back().at("validation_loss").get<double>(),
                found.metrics.mean_loss, 1e-5)
        << ema_decay;
  }
}

TEST(ResumeRun, WithTheFusedKernelTheNumberOfThreadsChangesNothing) {
  Config config = full_run();
  config.model.dim = 192;  // a matrix of more elements than ATen adds up in one part
  config.model.head_dropout = 0.1;
  add_bigrams(config);
  config.train.length = "6u";
  set_thread_count(1);
  const TempDir one;
  train_in(config, one.path());
  for (const int threads : {2, 3}) {
    set_thread_count(threads);
    const TempDir many;
    train_in(config, many.path());
    for (const char* file : {"model.safetensors", "optimizer.safetensors"})
      EXPECT_TRUE(read_file(one.path() / "checkpoints/000006" / file) ==
                  read_file(many.path() / "checkpoints/000006" / file))
          << file << " with " << threads << " threads";
  }
  set_thread_count(1);
}

// A checkpoint from between two evaluations, at which the run is to end now.
TEST(ResumeRun, WhatWasNeverEvaluatedIsBeforeItIsFinished) {
  const TempDir dir;
  Config config = full_run();
  config.train.checkpoint_every = "5u";
  train_in(config, dir.path());
  config.train.length = "5u";
  const TrainingResult result = train_in(config, dir.path(), dir.path() / "checkpoints/000005");
  EXPECT_FALSE(result.was_finished);
  EXPECT_EQ(result.updates, 5);
  const auto epochs = metrics_lines(dir.path(), "epoch");
  ASSERT_FALSE(epochs.empty());
  EXPECT_EQ(epochs.back().at("update"), 5);
  EXPECT_TRUE(epochs.back().contains("validation_accuracy"));
  EXPECT_TRUE(train_in(config, dir.path(), dir.path() / "checkpoints/000005").was_finished);
}

TEST(ResumeRun, AFinishedRunHasNothingLeft) {
  const TempDir dir;
  const Config config = full_run();
  train_in(config, dir.path());
  const std::string metrics = read_file(dir.path() / "metrics.jsonl");
  const TrainingResult result = train_in(config, dir.path(), dir.path() / "checkpoints/last");
  EXPECT_TRUE(result.was_finished);
  EXPECT_EQ(result.updates, 30);
  EXPECT_EQ(read_file(dir.path() / "metrics.jsonl"), metrics);
}

TEST(ResumeRun, ALongerRunGoesOnAndSaysWhere) {
  const TempDir dir;
  Config config = full_run();
  train_in(config, dir.path());
  config.train.length = "40u";
  const TrainingResult result = train_in(config, dir.path(), dir.path() / "checkpoints/last");
  EXPECT_FALSE(result.was_finished);
  EXPECT_EQ(result.updates, 40);
  const auto starts = metrics_lines(dir.path(), "start");
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_EQ(starts[1].at("update"), 30);
  EXPECT_EQ(starts[1].at("total_updates"), 40);
}

TEST(ResumeRun, OldCheckpointsAreStillCleanedUp) {
  const TempDir dir;
  Config config = full_run();
  config.train.keep_checkpoints = 1;
  config.train.max_updates = 16;
  train_in(config, dir.path());
  config.train.max_updates = 0;
  train_in(config, dir.path(), dir.path() / "checkpoints/last");
  std::size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(dir.path() / "checkpoints"))
    folders += entry.is_directory() && !entry.is_symlink() ? 1 : 0;
  EXPECT_LE(folders, 2U);  // the newest and the best
}

TEST(ResumeRun, ARaisedPatienceGoesOn) {
  const TempDir dir;
  Config config = testing::short_run();
  config.train.length = "50e";
  config.train.patience = 3;
  FakeClassifier first(kVocabSize, 2);
  ASSERT_TRUE(train(config, testing::contrary_validation(), first, dir.path()).stopped_early);
  FakeClassifier same(kVocabSize, 2);
  EXPECT_TRUE(train(config, testing::contrary_validation(), same, dir.path(),
                    dir.path() / "checkpoints/last")
                  .was_finished);
  config.train.patience = 5;
  FakeClassifier more(kVocabSize, 2);
  const TrainingResult result = train(config, testing::contrary_validation(), more, dir.path(),
                                      dir.path() / "checkpoints/last");
  EXPECT_FALSE(result.was_finished);
  EXPECT_EQ(result.updates, 24);  // one best epoch and five without gain
}

TEST(ResumeRun, AnotherPrecisionGoesOnWithoutTheScale) {
  const TempDir dir;
  Config config = full_run();
  config.train.precision = Precision::fp16;
  config.train.max_updates = 5;
  train_in(config, dir.path());
  config.train.max_updates = 0;
  config.train.precision = Precision::fp32;
  EXPECT_EQ(train_in(config, dir.path(), dir.path() / "checkpoints/last").updates, 30);
}

TEST(ResumeRun, ACheckpointOfAnotherModelIsRefused) {
  const TempDir dir;
  Config config = full_run();
  config.train.max_updates = 5;
  train_in(config, dir.path());
  config.model.dim = 16;
  try {
    train_in(config, dir.path(), dir.path() / "checkpoints/last");
    FAIL() << "no error";
  } catch (const CheckpointError& error) {
    EXPECT_THAT(error.what(), HasSubstr("embedding.weight: F32 [264, 8], expected F32 [264, 16]"));
  }
}

}  // namespace
}  // namespace diffuse
