#include "diffuse/report/metric_lines.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "diffuse/report/run_history.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Written and read again.
template <class Line>
RunHistory history_of(const Line& line) {
  const testing::TempDir dir;
  return read_run_history(dir.write("metrics.jsonl", metric_line(line) + "\n"));
}

HistoryEpoch full_epoch() {
  return {
      .update = 7,
      .epoch = 1.5,
      .train_loss = 0.25,
      .train_accuracy = 0.5,
      .validation_accuracy = 0.75,
      .validation_loss = 0.3,
      .validation_macro_f1 = 0.7,
      .validation_ece = 0.01,
      .best = true,
      .time = {.data_s = 1, .forward_s = 2, .backward_s = 3, .optimizer_s = 4, .evaluation_s = 5},
      .memory = {11, 12, 13, 14},
      .epoch_time_s = 6.5,
      .baseline = HistoryBaseline{.model = "DistilBERT",
                                  .precision = "bf16",
                                  .batch_size = 16,
                                  .epoch_time_s = 65,
                                  .peak_memory_bytes = 24,
                                  .time_ratio = 10,
                                  .memory_ratio = 2}};
}

TEST(MetricLines, ComeBackAsTheyWereWritten) {
  const HistoryStart start{.time = "2026-01-01T00:00:00Z",
                           .update = 3,
                           .total_updates = 9,
                           .updates_per_epoch = 4,
                           .device = "cpu",
                           .precision = "fp32",
                           .threads = 2,
                           .parameter_count = 99};
  EXPECT_EQ(metric_line(history_of(start).starts.at(0)), metric_line(start));
  const HistoryTrain train{.update = 5,
                           .epoch = 0.5,
                           .loss = 1.0 / 3,
                           .learning_rate = 1e-3,
                           .gradient_norm = 2,
                           .tokens_per_s = 1000,
                           .eta_s = 12,
                           .loss_scale = 1024,
                           .skipped_updates = 1};
  EXPECT_EQ(metric_line(history_of(train).train.at(0)), metric_line(train));
  EXPECT_EQ(metric_line(history_of(full_epoch()).epochs.at(0)), metric_line(full_epoch()));
  EXPECT_EQ(metric_line(history_of(HistoryEpoch{}).epochs.at(0)), metric_line(HistoryEpoch{}));
  const HistoryDivergence diverged{.update = 8,
                                   .loss = 9,
                                   .learning_rate = 0.1,
                                   .gradient_norm = 1,
                                   .loss_scale = 2,
                                   .rows = {3, 1}};
  EXPECT_EQ(metric_line(history_of(diverged).divergence.value()), metric_line(diverged));
  const HistoryDone done{.updates = 9,
                         .training_time_s = 1.5,
                         .best_update = 4,
                         .best_accuracy = 0.9,
                         .stopped_early = true,
                         .stopped_by_signal = 15};
  EXPECT_EQ(metric_line(history_of(done).done.value()), metric_line(done));
}

TEST(MetricLines, WhatIsNotKnownIsNullOrLeftOut) {
  const auto json = nlohmann::json::parse(metric_line(HistoryEpoch{}));
  EXPECT_TRUE(json.at("epoch_time_s").is_null());
  EXPECT_TRUE(json.at("train_loss").is_null());
  EXPECT_FALSE(json.contains("validation_accuracy"));
  EXPECT_FALSE(json.contains("baseline"));
  HistoryEpoch fused = full_epoch();
  fused.time = {.forward_backward_s = 7};
  EXPECT_EQ(history_of(fused).epochs.at(0).time.updates_s(), 7);
  const auto time = nlohmann::json::parse(metric_line(fused)).at("time_s");
  EXPECT_EQ(time.at("forward_backward"), 7);
  EXPECT_FALSE(time.contains("forward") || time.contains("backward"));
  HistoryEpoch compared = full_epoch();
  compared.baseline->time_ratio.reset();
  EXPECT_TRUE(
      nlohmann::json::parse(metric_line(compared)).at("baseline").at("time_ratio").is_null());
  EXPECT_FALSE(nlohmann::json::parse(metric_line(HistoryTrain{})).contains("loss_scale"));
}

TEST(MetricLines, NeverHoldInfinity) {
  HistoryEpoch epoch = full_epoch();
  epoch.epoch_time_s = kInfinity;
  epoch.baseline->time_ratio = kInfinity;
  epoch.train_loss = -kInfinity;
  const auto json = nlohmann::json::parse(metric_line(epoch));
  EXPECT_TRUE(json.at("epoch_time_s").is_null());
  EXPECT_TRUE(json.at("baseline").at("time_ratio").is_null());
  EXPECT_THAT(metric_line(epoch), Not(HasSubstr("inf")));
  EXPECT_TRUE(
      nlohmann::json::parse(metric_line(HistoryTrain{.loss = kInfinity})).at("loss").is_null());
}

TEST(MetricLines, ADeviceNameThatIsNotUtf8IsNoFailure) {
  EXPECT_THAT(metric_line(HistoryStart{.device = "gpu \xff"}), HasSubstr("gpu "));
}

}  // namespace
}  // namespace diffuse
