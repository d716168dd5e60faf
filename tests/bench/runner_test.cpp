// The comparison where one of the models cannot do what a case asks.

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "diffuse/base/signals.hpp"
#include "diffuse/bench/comparison.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/train/time_split.hpp"
#include "model/checkpoint_fixture.hpp"
#include "model/torchscript_module.hpp"
#include "support/temp_dir.hpp"
#include "train/updater.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ModelShape kShape{40, 3, 2, 0};

ContenderSpec small_diffusion() {
  ContenderSpec spec;
  spec.name = "ours";
  spec.config.model.dim = 8;
  spec.shape = kShape;
  return spec;
}

/// Cases that take a moment.
BenchPlan plan_of(ContenderSpec other, std::vector<BenchCase> cases) {
  BenchPlan plan;
  plan.models = {small_diffusion(), std::move(other)};
  plan.cases = std::move(cases);
  plan.precisions = {Precision::fp32};
  plan.timing = {.warm_up_calls = 1, .warm_up_s = 1, .measure_s = 0.01, .least_rounds = 2};
  plan.budget_s = 1e9;
  plan.memory = false;
  return plan;
}

/// A TorchScript classifier whose forward holds `lines` before it returns its logits.
ContenderSpec scripted(const testing::TempDir& dir, const std::string& lines) {
  testing::module_of("def forward(self, ids: Tensor, mask: Tensor):\n" + lines +
                     "    return self.weight[ids].sum(1)\n")
      .save((dir.path() / "model.pt").string());
  ContenderSpec spec;
  spec.name = "scripted";
  spec.config.model.type = ModelType::torchscript;
  spec.config.model.file = (dir.path() / "model.pt").string();
  spec.shape = kShape;
  return spec;
}

TEST(Runner, WhatNeedsMoreMemoryThanIsFreeIsNotRunAndTheOtherIs) {
  ContenderSpec other;
  other.name = "DistilBERT";
  other.config.model.type = ModelType::distilbert;
  other.config.distilbert.dim = 16;
  other.config.distilbert.heads = 16;
  other.config.distilbert.layers = 24;
  other.config.distilbert.hidden_dim = 16;
  other.config.distilbert.max_positions = 4096;
  other.shape = kShape;
  // 24 x 16 scores for each pair of 4,096 tokens, of 64 texts: four terabytes.
  const Comparison comparison = run_comparison(plan_of(other, {{BenchMode::train, 64, 4096}}));
  const CaseResult& only = comparison.cases.at(0);
  EXPECT_THAT(only.models.at(1).measurements.at(0).not_run, HasSubstr(" of memory are free"));
  EXPECT_FALSE(only.models.at(1).measurements.at(0).ran());
  EXPECT_THAT(only.models.at(0).measurements.at(0).not_run, IsEmpty());
  EXPECT_TRUE(only.models.at(0).measurements.at(0).ran());
}

using PooledContender = testing::CheckpointFixture;

TEST_F(PooledContender, IsTimedOnWholeTextsAsThatOfAConfigIs) {
  config_.tokenizer.max_tokens = 4;
  config_.tokenizer.long_texts = LongTexts::pool;
  const ModelShape shape = {10, 2, tokenizer_->mask_id(), tokenizer_->pad_id()};
  model_ = make_classifier(config_, shape, 5);
  ASSERT_NE(model_.get(), &model_->whole_text_classifier());
  save(*model_);
  ContenderSpec spec;
  spec.config = config_;
  spec.shape = shape;
  for (const std::string& checkpoint : {std::string(), folder().string()}) {
    spec.checkpoint = checkpoint;
    const Contender contender(spec, at::kCPU);
    EXPECT_EQ(&contender.classifier(), &contender.classifier().whole_text_classifier())
        << checkpoint;
  }
}

TEST(Runner, WeightsForEachPlaceAreThoseOfTheCasesLength) {
  ContenderSpec other = small_diffusion();
  other.name = "Linformer";
  other.config.model.type = ModelType::linformer;
  other.config.mixer.max_positions = 1000;
  other.made_for_each_length = true;
  const auto parameters = [](std::int64_t positions) {
    Config config = small_diffusion().config;
    config.model.type = ModelType::linformer;
    config.mixer.max_positions = positions;
    return count_parameters(config, kShape).value();
  };
  const Comparison comparison = run_comparison(plan_of(
      other, {{BenchMode::train, 1, 32}, {BenchMode::train, 1, 16}, {BenchMode::train, 1, 48}}));
  EXPECT_EQ(comparison.models[1].parameter_count, parameters(48)) << "of the longest";
  for (const CaseResult& result : comparison.cases)
    EXPECT_TRUE(result.models[1].measurements[0].ran()) << result.which.seq_len;
}

TEST(Runner, RunningOutOfMemoryIsAResultOfThatModelAlone) {
  const testing::TempDir dir;
  const ContenderSpec other = scripted(dir,
                                       "    if ids.size(1) > 64:\n"
                                       "        ids = ids + torch.zeros([1 << 50], dtype=4)[0]\n");
  const Comparison comparison = run_comparison(
      plan_of(other, {{BenchMode::inference, 2, 65}, {BenchMode::inference, 2, 64}}));
  EXPECT_THAT(comparison.cases.at(0).models.at(1).measurements.at(0).not_run,
              HasSubstr("out of memory: "));
  EXPECT_TRUE(comparison.cases.at(0).models.at(0).measurements.at(0).ran());
  EXPECT_TRUE(comparison.cases.at(1).models.at(1).measurements.at(0).ran())
      << "it goes on with what fits";
}

TEST(Runner, EachCaseHasAPrecisionOfItsOwnAndTellsWhatWasTried) {
  const testing::TempDir dir;
  // Slow in bfloat16 (type 15) for one text and in float32 for several.
  const ContenderSpec other =
      scripted(dir,
               "    half = torch.matmul(self.weight.t(), self.weight).dtype == 15\n"
               "    if half == (ids.size(0) == 1):\n"
               "        for i in range(100):\n"
               "            ids = ids + torch.zeros([200000], dtype=4).sum()\n");
  BenchPlan plan = plan_of(other, {{BenchMode::inference, 8, 4}, {BenchMode::inference, 1, 4}});
  plan.precisions.clear();
  const Comparison comparison = run_comparison(plan);
  const char* chosen[] = {"bf16", "fp32"};
  for (std::size_t i = 0; i < 2; ++i) {
    const CaseResult& result = comparison.cases.at(i);
    ASSERT_EQ(result.models.at(1).measurements.size(), 1U);
    EXPECT_EQ(result.models.at(1).measurements[0].precision, chosen[i]);
    ASSERT_EQ(result.models.at(1).tried.size(), 2U);
    for (const TriedPrecision& tried : result.models.at(1).tried) {
      EXPECT_GT(tried.call_s.value(), 0);
      EXPECT_FALSE(tried.estimated);
      EXPECT_EQ(tried.texts, result.which.batch_size);
      EXPECT_EQ(tried.tokens, 4);
    }
    EXPECT_EQ(result.models.at(0).tried.size(), 2U);
  }
}

TEST(Contender, ATrainingStepIsAnUpdateOfTheTrainer) {
  for (const Kernel kernel : {Kernel::fused, Kernel::reference}) {
    for (const EmbeddingUpdate update : {EmbeddingUpdate::touched, EmbeddingUpdate::dense}) {
      ContenderSpec spec = small_diffusion();
      spec.config.train.kernel = kernel;
      spec.config.train.embedding_update = update;
      const Batch batch = make_batch(synthetic_workload(kShape, 2, 4, 1).batches.front(), at::kCPU);
      Contender contender(spec, at::kCPU);
      contender.prepare(BenchMode::train, Precision::fp32);
      EXPECT_EQ(contender.kernel(), enum_name(kernel));
      const auto classifier = make_classifier(spec.config, kShape, 1);
      Updater updater(spec.config.train, Precision::fp32, *classifier);
      StepClock clock(at::kCPU, 1);
      for (std::int64_t step = 1; step <= 3; ++step) {
        contender.run(batch);
        clock.begin_update();
        updater.apply(
            1, batch.size(), [&](std::size_t) { return batch; }, step, 1e-6, clock);
        clock.end_update();
      }
      const auto expected = classifier->parameters();
      const auto found = contender.classifier().parameters();
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_TRUE(at::equal(found[i].tensor, expected[i].tensor)) << found[i].name;
    }
  }
}

TEST(Runner, AFusedKernelThatIsInsistedOnIsTriedInWhatItComputesIn) {
  BenchPlan plan = plan_of(small_diffusion(), {{BenchMode::train, 2, 4}});
  plan.precisions.clear();
  plan.models[0].config.train.kernel = Kernel::fused;
  plan.models[1].config.train.kernel = Kernel::reference;
  const Comparison comparison = run_comparison(plan);
  const CaseResult& only = comparison.cases.at(0);
  ASSERT_EQ(only.models.at(0).tried.size(), 2U);
  EXPECT_EQ(only.models.at(0).tried[0].precision, Precision::fp32);
  EXPECT_EQ(only.models.at(0).tried[1].precision, Precision::bf16);
  EXPECT_EQ(only.models.at(1).tried.size(), 2U);
  EXPECT_EQ(only.models.at(0).measurements.at(0).kernel, "fused");
  EXPECT_EQ(only.models.at(1).measurements.at(0).kernel, "reference");
}

/// A signal is caught in each by the runner's process.
class StoppedRunner : public ::testing::Test {
 protected:
  StoppedRunner() { catch_stop_signals(); }
  ~StoppedRunner() override { clear_stop_signal(); }
};

TEST_F(StoppedRunner, TrialsCanBeStopped) {
  BenchPlan plan = plan_of(small_diffusion(), {{BenchMode::inference, 4, 4}});
  plan.on_progress = [](const std::string& what, double) {
    if (what == "trying ours in fp32") std::raise(SIGINT);
  };
  const Comparison comparison = run_comparison(plan);
  EXPECT_EQ(comparison.stopped_by, SIGINT);
  EXPECT_THAT(comparison.cases, IsEmpty());
}

TEST_F(StoppedRunner, ATrainingStepIsLeftBetweenItsPhases) {
  const testing::TempDir dir;
  const ContenderSpec slow = scripted(dir,
                                      "    for i in range(5000):\n"
                                      "        ids = ids + torch.zeros([200000], dtype=4).sum()\n");
  Contender contender(slow, at::kCPU);
  const Batch batch = make_batch(synthetic_workload(kShape, 2, 4, 1).batches.front(), at::kCPU);
  contender.prepare(BenchMode::train, Precision::fp32);
  const std::jthread during_forward([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ::kill(::getpid(), SIGINT);
  });
  EXPECT_THROW(contender.run(batch), Stopped);
}

TEST_F(StoppedRunner, ItKeepsTheCasesThatAreWhole) {
  BenchPlan plan =
      plan_of(small_diffusion(), {{BenchMode::inference, 1, 4}, {BenchMode::inference, 1, 5}});
  plan.on_progress = [](const std::string& what, double) {
    if (what == "inference 1 x 5 tokens") std::raise(SIGTERM);
  };
  const Comparison comparison = run_comparison(plan);
  EXPECT_EQ(comparison.stopped_by, SIGTERM);
  EXPECT_EQ(comparison.cases.size(), 1U);
}

}  // namespace
}  // namespace diffuse
