// The small parts of the trainer: plan, running figures, time split, memory estimate, metrics log.

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "../../src/train/running_figures.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/train/memory_estimate.hpp"
#include "diffuse/train/metrics_log.hpp"
#include "diffuse/train/plan.hpp"
#include "diffuse/train/time_split.hpp"
#include "support/fake_classifier.hpp"
#include "training_fixture.hpp"

namespace diffuse {
namespace {

UpdateFigures figures(std::int64_t update, std::int64_t examples, double loss, double norm,
                      std::int64_t correct) {
  return {.update = update,
          .examples = examples,
          .tokens = 10 * examples,
          .learning_rate = 0.5,
          .loss = at::full({}, loss, at::kFloat),
          .gradient_norm = at::full({}, norm, at::kFloat),
          .correct = at::full({}, correct, at::kLong)};
}

/// The plan for `rows` rows.
TrainingPlan plan_for(const TrainConfig& config, std::int64_t rows) {
  return make_plan(config, (rows + config.batch_size - 1) / config.batch_size);
}

TEST(Plan, CountsUpdatesOfAnEpochWithItsLastSmallBatch) {
  TrainConfig config;
  config.batch_size = 64;
  config.length = "2.5e";
  config.evaluate_every = "0.5e";
  config.warmup = "7u";
  const TrainingPlan plan = plan_for(config, 257);
  EXPECT_EQ(plan.updates_per_epoch, 5);
  EXPECT_EQ(plan.total, 13);
  EXPECT_EQ(plan.evaluate_every, 3);
  EXPECT_EQ(plan.schedule.warmup, 7);
  EXPECT_EQ(plan.schedule.total, 13);
  EXPECT_EQ(plan.schedule.peak, config.learning_rate);
}

TEST(Plan, AutoMakesTwoThousandUpdatesWithinThreeAndThirtyEpochs) {
  TrainConfig config;  // both lengths are auto
  config.batch_size = 10;
  const TrainingPlan medium = plan_for(config, 3000);
  EXPECT_EQ(medium.total, 7 * 300);  // the first whole epoch at or beyond 2,000
  EXPECT_EQ(medium.schedule.warmup, 200);
  EXPECT_EQ(medium.schedule.total, 2100);
  const TrainingPlan exact = plan_for(config, 2500);
  EXPECT_EQ(exact.total, 2000);
  EXPECT_EQ(plan_for(config, 100'000).total, 3 * 10'000);
  const TrainingPlan small = plan_for(config, 25);
  EXPECT_EQ(small.total, 30 * 3);
  EXPECT_EQ(small.schedule.warmup, 9);
  EXPECT_EQ(plan_for(config, 1).schedule.warmup, 3);
}

TEST(Plan, AWarmUpAsLongAsTheRunIsAProblemToldOnce) {
  const auto problem = [](const std::string& length, const std::string& warmup) {
    TrainConfig config;
    config.length = length;
    config.warmup = warmup;
    return warmup_problem(config, plan_for(config, 1280));  // 10 updates an epoch
  };
  EXPECT_EQ(problem("3e", "30u"),
            "Warm-up (train.warmup = 30u) takes 30 updates and the whole run has 30: the learning "
            "rate never falls. Shorten train.warmup.");
  EXPECT_NE(problem("3e", "3e"), "");
  EXPECT_NE(problem("auto", "40e"), "");
  EXPECT_EQ(problem("3e", "29u"), "");
  EXPECT_EQ(problem("3e", "4e"), "");  // the check of the config has told
  EXPECT_EQ(problem("0e", "0u"), "");
  EXPECT_EQ(problem("3u", "auto"), "");
}

TEST(Plan, LessThanAnUpdateIsOne) {
  TrainConfig config;
  config.length = "0.0001e";
  EXPECT_EQ(plan_for(config, 1000).total, 1);
}

TEST(Plan, AutoWarmUpIsATenthOfAShortRun) {
  TrainConfig config;
  config.length = "50u";
  EXPECT_EQ(plan_for(config, 1000).schedule.warmup, 5);
  config.length = "5u";
  EXPECT_EQ(plan_for(config, 1000).schedule.warmup, 0);
}

TEST(Plan, MinutesAreATimeAndTheScheduleFollowsIt) {
  TrainConfig config;
  config.length = "1.5m";
  config.checkpoint_every = "2m";
  TrainingPlan plan = make_plan(config, 10);
  EXPECT_EQ(plan.time_limit_s, 90);
  EXPECT_GT(plan.total, 1'000'000'000);
  EXPECT_EQ(plan.schedule.total, 0);
  EXPECT_EQ(plan.schedule.warmup, 200);
  EXPECT_EQ(plan.schedule.warmup_share, 0.1);
  EXPECT_EQ(plan.checkpoint_every_s, 120);
  EXPECT_EQ(plan.checkpoint_every, 0);
  config.max_updates = 7;
  EXPECT_EQ(make_plan(config, 10).total, 7);
}

TEST(Plan, MaxUpdatesStopsEarlierAndLeavesTheSchedule) {
  TrainConfig config;
  config.length = "3e";
  config.max_updates = 12;
  config.checkpoint_every = "0.5e";
  const TrainingPlan plan = make_plan(config, 10);
  EXPECT_EQ(plan.total, 12);
  EXPECT_EQ(plan.schedule.total, 30);
  EXPECT_EQ(plan.schedule.warmup, 3);
  EXPECT_EQ(plan.checkpoint_every, 5);
  config.max_updates = 50;
  EXPECT_EQ(make_plan(config, 10).total, 30);
}

TEST(Plan, UpdatesOfAnEpochCountAccumulatedBatchesAndTokenBudgets) {
  const auto data = testing::separable_rows(100, 2, 1);
  const DatasetView view = view_all(*data);
  TrainConfig config;
  config.batch_size = 8;  // 13 batches
  EXPECT_EQ(updates_in_epoch(config, view), 13);
  config.accumulate = 4;
  EXPECT_EQ(updates_in_epoch(config, view), 4);
  EXPECT_EQ(updates_in_epoch(config, view, 40), 2) << "of 5 batches";
  config.accumulate = 1;
  EXPECT_EQ(updates_in_epoch(config, view, 40), 5);
  EXPECT_EQ(updates_in_epoch(config, view, 41), 6);
  EXPECT_EQ(updates_in_epoch(config, view, 100), 13);
  EXPECT_EQ(updates_in_epoch(config, view, 1000), 13);
  config.batch_tokens = 20;  // 4 to 9 tokens a row
  const std::int64_t budgeted = updates_in_epoch(config, view);
  EXPECT_GT(budgeted, view.token_count() / 20);
  EXPECT_LT(budgeted, 51);
  EXPECT_EQ(updates_in_epoch(config, view, 50), (budgeted + 1) / 2);
}

TEST(Plan, EvaluatesAtMostAfterEveryUpdate) {
  TrainConfig config;
  config.evaluate_every = "0.001e";
  EXPECT_EQ(plan_for(config, 1000).evaluate_every, 1);
}

TEST(RunningFigures, WeighExamplesNotBatches) {
  RunningFigures running;
  running.add(figures(1, 3, 1.0, 2.0, 3));
  running.add(figures(2, 1, 5.0, 4.0, 0));
  EXPECT_FALSE(running.window().mean_loss().has_value());  // still pending
  running.drain();
  EXPECT_DOUBLE_EQ(running.window().mean_loss().value(), 2);
  EXPECT_DOUBLE_EQ(running.window().accuracy().value(), 0.75);
  EXPECT_EQ(running.window().tokens, 40);
  EXPECT_DOUBLE_EQ(running.last_gradient_norm(), 4);
  running.clear_window();
  running.add(figures(3, 4, 0.0, 1.0, 4));
  running.drain();
  EXPECT_DOUBLE_EQ(running.window().mean_loss().value(), 0);
  EXPECT_DOUBLE_EQ(running.period().mean_loss().value(), 1);
}

TEST(RunningFigures, StopAtTheFirstUpdateThatIsNotFinite) {
  RunningFigures running;
  running.add(figures(41, 1, 1.0, 2.5, 1));
  UpdateFigures bad = figures(42, 2, 1.0, std::numeric_limits<double>::infinity(), 1);
  bad.rows = {7, 9};
  running.add(bad);
  running.add(figures(43, 1, std::numeric_limits<double>::quiet_NaN(), 1.0, 1));
  const auto divergence = running.drain();
  ASSERT_TRUE(divergence.has_value());
  EXPECT_EQ(divergence->what, "the gradient norm is inf");
  EXPECT_EQ(divergence->update, 42);
  EXPECT_EQ(divergence->learning_rate, 0.5);
  EXPECT_EQ(divergence->last_finite_norm, 2.5);
  EXPECT_EQ(divergence->rows, (std::vector<std::uint32_t>{7, 9}));
  EXPECT_EQ(running.period().examples, 1);  // the updates before it alone
}

TEST(RunningFigures, CountASkippedUpdateAndForgiveItsNorm) {
  RunningFigures running;
  UpdateFigures skipped = figures(1, 2, 0.5, std::numeric_limits<double>::infinity(), 1);
  skipped.skipped = true;
  skipped.loss_scale = 1024;
  running.add(skipped);
  EXPECT_FALSE(running.drain().has_value());
  EXPECT_EQ(running.window().skipped_updates, 1);
  EXPECT_EQ(running.window().examples, 2);
  EXPECT_EQ(running.last_gradient_norm(), 0);
  EXPECT_EQ(running.last_loss_scale(), 1024);
}

TEST(StepClock, DividesTheWallTimeOfUpdates) {
  StepClock clock(at::kCPU, 100);
  for (int update = 0; update < 3; ++update) {
    clock.begin_update();
    clock.enter(StepClock::Phase::forward);
    clock.enter(StepClock::Phase::backward);
    clock.enter(StepClock::Phase::optimizer);
    clock.end_update();
  }
  clock.add_evaluation(1.5);
  const double training_s = clock.total_training_s();
  const HistoryTime split = clock.take();
  EXPECT_NEAR(split.data_s + *split.forward_s + *split.backward_s + split.optimizer_s, training_s,
              1e-9);
  EXPECT_NEAR(split.updates_s(), training_s, 1e-9);
  EXPECT_EQ(split.evaluation_s, 1.5);
  EXPECT_EQ(clock.take().evaluation_s, 0);
  EXPECT_EQ(clock.total_training_s(), training_s);
}

TEST(MemoryEstimate, TakesAModelOfNgramsAlone) {
  EncodedDataset data;
  data.append(std::vector<std::int32_t>(3, 0), 0, 1);
  Config config;
  config.model.dim = 0;
  config.model.weight = WeightKind::full;
  config.model.function = FunctionKind::linear;
  config.model.activation = Activation::identity;
  config.model.norm = NormPosition::none;
  const MemoryEstimate estimate = estimate_memory(config, Precision::fp32, 0, view_all(data),
                                                  {.classes = 2, .kernel = Kernel::fused});
  EXPECT_EQ(estimate.weights, 0);
  EXPECT_GE(estimate.evaluation, 0);
}

TEST(MemoryEstimate, OfNumbersHasNoTableOfRows) {
  EncodedDataset data;
  data.append(std::vector<std::int32_t>(3, 0), 0, 1);
  Config config;
  config.model.dim = 8;
  config.tokenizer.type = TokenizerType::values;
  const auto estimate = estimate_memory(config, Precision::fp32, 100, view_all(data),
                                        {.classes = 2, .vocab_size = 257, .kernel = Kernel::fused});
  EXPECT_EQ(estimate.gradients, 400);
}

TEST(MemoryEstimate, CountsWeightsAndTheLongestRows) {
  EncodedDataset data;
  for (const std::size_t length : {3U, 10U, 7U, 1U})
    data.append(std::vector<std::int32_t>(length, 0), 0, 1);
  Config config;
  config.train.batch_size = 2;
  config.train.ema_decay = 0;
  config.model.steps = 0;
  config.model.dim = 8;
  config.model.embedding_dropout = 0;
  MemoryEstimate estimate = estimate_memory(config, Precision::fp32, 22, view_all(data));
  EXPECT_EQ(estimate.weights, 88);
  EXPECT_EQ(estimate.gradients, 88);
  EXPECT_EQ(estimate.optimizer, 176);
  EXPECT_EQ(estimate.average, 0);
  EXPECT_EQ(estimate.largest_batch_tokens, 17);
  EXPECT_EQ(estimate.activations, 17 * 8 * 4);
  EXPECT_EQ(estimate.total(), 88 * 4 + 17 * 8 * 4);

  config.train.batch_tokens = 12;  // two rows of 17 tokens are more
  EXPECT_EQ(estimate_memory(config, Precision::fp32, 22, view_all(data)).largest_batch_tokens, 12);
  config.train.batch_tokens = 5;  // but a row is never cut
  EXPECT_EQ(estimate_memory(config, Precision::fp32, 22, view_all(data)).largest_batch_tokens, 10);
  config.train.batch_tokens = 0;

  config.train.ema_decay = 0.9;
  config.model.steps = 1;
  config.model.norm = NormPosition::none;
  config.model.weight = WeightKind::scalar;
  config.model.radius = 1;
  config.model.function = FunctionKind::linear;
  config.model.activation = Activation::identity;
  estimate = estimate_memory(config, Precision::fp32, 22, view_all(data));
  EXPECT_EQ(estimate.average, 88);
  // The initial state, u, the new state and two shifted copies.
  EXPECT_EQ(estimate.activations, 17 * 8 * 4 * 5);
  EXPECT_EQ(estimate_memory(config, Precision::tf32, 22, view_all(data)).activations,
            estimate.activations);
  // Both states stay float32; u, the copies, and the cast state that f takes have two bytes.
  for (const Precision half : {Precision::bf16, Precision::fp16})
    EXPECT_EQ(estimate_memory(config, half, 22, view_all(data)).activations,
              17 * 8 * (2 * 4 + 4 * 2));

  // By operations of ours a norm before f writes what its product takes: no row more in half
  // precision, one in single.
  for (const auto& [precision, norm_bytes] :
       {std::pair{Precision::bf16, 0}, std::pair{Precision::fp32, 4}}) {
    const MemoryFacts facts{.kernel = Kernel::operations};
    config.model.norm = NormPosition::none;
    const auto without = estimate_memory(config, precision, 22, view_all(data), facts).activations;
    config.model.norm = NormPosition::pre;
    EXPECT_EQ(estimate_memory(config, precision, 22, view_all(data), facts).activations - without,
              17 * 8 * norm_bytes);
    config.model.norm = NormPosition::none;
  }

  config.model.weight_learned = false;
  estimate = estimate_memory(config, Precision::fp32, 22, view_all(data));
  EXPECT_EQ(estimate.weights, 88 + 3 * 4);
  EXPECT_EQ(estimate.gradients, 88);
}

TEST(MemoryEstimate, IsDescribedInALine) {
  const MemoryEstimate estimate{.weights = 1'000'000,
                                .gradients = 1'000'000,
                                .optimizer = 2'000'000,
                                .average = 0,
                                .activations = 6'000'000,
                                .largest_batch_tokens = 1234};
  EXPECT_EQ(describe(estimate),
            "10.0 MB: weights 1.0 MB, gradients 1.0 MB, optimizer 2.0 MB, average "
            "0 B, activations 6.0 MB (largest batch: 1,234 tokens)");
}

TEST(MemoryEstimate, CountsWhatGrowsWithTheClasses) {
  Config config;
  config.train.batch_size = 10;
  const auto estimate = [&](const MemoryFacts& outputs) {
    return estimate_memory(config, Precision::fp32, 22, 100, outputs);
  };
  // Logits, log-softmax, two gradients; then two figures a row, and a cell of the confusion matrix
  // for each.
  EXPECT_EQ(estimate({8000, 500}).activations, estimate({}).activations + 10 * 8000 * 4 * 4);
  EXPECT_EQ(estimate({8000, 500}).evaluation, 500 * 8000 * 8 + 500 * 16);
  MemoryEstimate two = estimate({8000, 500});
  EXPECT_EQ(two.total(), 22 * 4 * 4 + two.average + two.evaluation) << "never both at once";
  EXPECT_THAT(describe(two), ::testing::HasSubstr(" or evaluation 32.0 MB (largest batch"));
  two.activations = two.evaluation + 1;
  EXPECT_THAT(describe(two), ::testing::Not(::testing::HasSubstr("evaluation")));
}

TEST(MetricsLog, SaysWhichFileCannotBeOpened) {
  try {
    MetricsLog log("/nonexistent/metrics.jsonl");
    FAIL() << "no error";
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(),
                 "/nonexistent/metrics.jsonl: cannot be opened for writing: No such file or "
                 "directory.");
  }
}

}  // namespace
}  // namespace diffuse
